"""Whatever is seen in a block has a receipt."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from keymoot.gateway import transactions
from tests.engine.house import founded
from tests.engine.parts import transfer
from tests.runtime.people import OWNER


async def test_what_is_seen_in_a_block_has_a_receipt(tmp_path: Path) -> None:
    """`cast receipt` looks at blocks, asks once for what it finds there, and else gives up."""
    async with founded(tmp_path / "data") as house, house.at_work():
        services: Any = SimpleNamespace(ledger=house.ledger)
        for nonce in range(3):
            name = await house.ledger.submit(transfer(OWNER, nonce))
            await house.included(name)
            seen = await transactions.by_hash(services, [name.hex0x])
            receipt = await transactions.receipt(services, [name.hex0x])
            assert receipt["status"] == "0x1"
            assert receipt["blockNumber"] == seen["blockNumber"]
