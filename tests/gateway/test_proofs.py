"""Proofs that a node gives away: whole, small, and checked with nothing but the network's id."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keymoot.cli.dossier import check_file
from keymoot.crypto.keccak import keccak256
from keymoot.gateway import proofs
from keymoot.gateway.errors import RpcError
from keymoot.proof.receipt import ReceiptProof
from tests.engine.house import founded
from tests.engine.parts import transfer
from tests.gateway.conftest import Scene
from tests.runtime.people import OWNER


async def test_receipts_are_proved_under_certified_headers(tmp_path: Path) -> None:
    async with founded(tmp_path / "data") as house, house.at_work():
        ledger = house.ledger
        services: Any = SimpleNamespace(ledger=ledger)
        names = []
        for nonce in range(3):
            names.append(await ledger.submit(transfer(OWNER, nonce)))
            await house.included(names[-1])
        for nonce, name in enumerate(names):
            proof = ReceiptProof.from_json(await proofs.receipt(services, [name.hex0x]))
            found = proof.check(proof.shown.header)
            assert keccak256(transfer(OWNER, nonce)) == found.hash == name
            assert found.status == 1
            stored = ledger.transaction(name)
            assert stored is not None
            assert (found.header, found.index) == (stored.block.header, stored.index)
        unknown = "0x" + "11" * 32
        assert await proofs.receipt(services, [unknown]) is None
        with pytest.raises(RpcError, match="unknown transaction"):
            await proofs.dossier(services, [{"transaction": unknown}])


def test_one_file_proves_what_was_asked_for(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = scene.node.network.call
    block = call("eth_getBlockByNumber", "latest", False)
    subject = {
        "wallet": scene.wallet.wallet.hex0x,
        "account": "0x" + "11" * 20,
        "slots": ["0x1"],
        "transaction": block["transactions"][0],
    }
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(call("keymoot_proof", subject)))
    check_file(str(file), scene.node.network.identity().network.hex0x, as_json=True)
    told = json.loads(capsys.readouterr().out)
    steps = [one["step"] for one in told["checked"]]
    assert steps[3:] == ["members", "wallet", "account", "slot", "transaction", "receipt"]
    assert scene.wallet.account.hex0x in told["checked"][4]["says"]
    assert block["transactions"][0] in told["checked"][7]["says"]
    assert any("SIMULATED" in one for one in told["assumptions"])
