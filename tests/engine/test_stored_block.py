"""What is left of blocks: dealings of old ones are erased, everything else stays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keymoot.base.errors import BrokenStorage
from keymoot.base.units import Height
from keymoot.committee.messages import Kind
from keymoot.crypto.transactions import transaction_hash
from keymoot.engine import dealings as kept_dealings
from keymoot.engine import stored_block
from keymoot.engine.dealings import KEPT_DEALINGS
from keymoot.engine.folder import open_chain
from keymoot.engine.ledger import Included
from keymoot.engine.stored_block import DealingsErased, Erased
from keymoot.engine.undo import KEPT_BLOCKS
from keymoot.gateway.errors import PRUNED, RpcError
from keymoot.gateway.render import block_json, receipt_json, transaction_json
from keymoot.store.table import Batch
from tests.engine.committee import message
from tests.engine.house import House
from tests.engine.parts import Crash, transfer
from tests.runtime.people import OWNER

pytestmark = pytest.mark.own_time

KEPT = 3


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_dealings, "KEPT_DEALINGS", KEPT)
    monkeypatch.setattr(stored_block, "KEPT_DEALINGS", KEPT)


def dealing(house: House, number: int) -> bytes:
    return message(house.genesis, 1, Kind.FIRST, number.to_bytes(4, "big") * 5_000)


async def grown(house: House, blocks: int) -> list[bytes]:
    """Make blocks of a dealing and a payment each; give the dealings, from block 2 on."""
    made = []
    first = house.ledger.state().account(OWNER.address).nonce
    async with house.at_work():
        for at in range(blocks):
            made.append(dealing(house, house.height))
            await house.include(made[-1], transfer(OWNER, first + at))
    return made


def dealings(house: House) -> list[int]:
    """Give the heights of dealings on disk."""
    with house.store.snapshot() as table:
        return [int.from_bytes(key[1:9], "big") for key, _ in table.scan(b"D", b"D")]


@pytest.fixture
async def house(tmp_path: Path) -> House:
    made = House(tmp_path / "data")
    await made.found()
    yield made
    made.close()


def found(house: House, raw: bytes) -> Included:
    one = house.ledger.transaction(transaction_hash(raw))
    assert one is not None
    return one


def test_whoever_can_execute_a_block_finds_it_whole() -> None:
    # States before the newest one are kept, and as many blocks: the lowest state's next included.
    assert KEPT_DEALINGS >= KEPT_BLOCKS


async def test_dealings_of_old_blocks_are_erased_and_all_else_stays(house: House) -> None:
    made = await grown(house, 2)
    before = [house.chain.block(Height(at)) for at in (2, 3)]
    receipts = [house.chain.receipts(Height(at)) for at in (2, 3)]
    sizes = [block_json(house.ledger, Height(at), whole=False)["size"] for at in (2, 3)]
    assert all(one.whole for one in before)
    await grown(house, 3)
    assert dealings(house) == [4, 5, 6]
    for at, raw in enumerate(made):
        height, old = Height(at + 2), before[at]
        now = house.chain.block(height)
        left = [one for one in now.transactions if isinstance(one, Erased)]
        assert left == [Erased(transaction_hash(raw), len(raw))]
        assert [one for one in now.transactions if one not in left] == [
            one for one in old.transactions if one != raw
        ]
        assert now.header == old.header == house.chain.header(height)
        assert house.chain.receipts(height) == receipts[at]
        assert block_json(house.ledger, height, whole=False)["size"] == sizes[at]
        with pytest.raises(DealingsErased, match=r"newest 3 blocks are kept: begin at a newer"):
            house.chain.order(height)
    for height in (4, 5, 6):
        assert house.chain.block(Height(height)).whole
        assert house.chain.order(Height(height))
    # It stands where it stood: the same bytes are known, and are not taken a second time.
    assert await house.ledger.submit(made[0]) == transaction_hash(made[0])
    assert house.ledger.waiting(transaction_hash(made[0])) is None


async def test_what_is_told_of_an_erased_dealing_is_true(house: House) -> None:
    raw = (await grown(house, 1))[0]
    one = found(house, raw)
    shown, receipt = transaction_json(house.ledger, one), receipt_json(one)
    block = block_json(house.ledger, Height(2), whole=False)
    await grown(house, KEPT)
    gone = found(house, raw)
    assert receipt_json(gone) == receipt
    assert block_json(house.ledger, Height(2), whole=False) == block
    assert shown["hash"] in block["transactions"]
    for ask in (
        lambda: transaction_json(house.ledger, gone),
        lambda: block_json(house.ledger, Height(2), whole=True),
    ):
        with pytest.raises(RpcError, match=r"pruned history unavailable.*--keep-dealings") as error:
            ask()
        assert error.value.code == PRUNED
        assert error.value.data == {"reason": "DEALING_ERASED", "transactionHash": shown["hash"]}


async def test_a_crash_erases_nothing_without_its_block_and_loses_nothing_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grown(house, KEPT)
    for after, left in ((False, [2, 3, 4]), (True, [3, 4, 5])):
        write = house.store.write

        def crash(batch: Batch, write: Callable[[Batch], None] = write, after: bool = after):
            if after:
                write(batch)
            raise Crash

        monkeypatch.setattr(house.store, "write", crash)
        with pytest.raises(ExceptionGroup) as raised:
            async with house.at_work() as running:
                await house.ledger.submit(dealing(house, 77))
                await running
        assert raised.group_contains(Crash)
        house.reopen()
        assert dealings(house) == left
    await grown(house, 1)
    assert dealings(house) == [4, 5, 6]


async def test_a_node_that_keeps_dealings_keeps_all_and_lets_go_of_them_in_steps(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_dealings, "ERASED_AT_ONCE", 2)
    house.chain.keeps_dealings = True
    await grown(house, 7)
    assert dealings(house) == [2, 3, 4, 5, 6, 7, 8]
    house.chain.keeps_dealings = False
    await grown(house, 1)
    assert dealings(house) == [4, 5, 6, 7, 8, 9]
    await grown(house, 3)
    assert dealings(house) == [10, 11, 12]


async def test_a_folder_is_opened_to_keep_dealings_or_not(house: House) -> None:
    await grown(house, 1)
    house.close()
    for keeps in (True, False):
        store = type(house.store)(house.folder, map_bytes=1 << 28)
        chain = open_chain(store, house.genesis, keeps_dealings=keeps)
        assert chain.keeps_dealings is keeps
        chain.close()
        store.close()
    house.open()


async def test_a_dealing_that_must_be_there_and_is_not_is_damage(house: House) -> None:
    await grown(house, 1)
    with house.store.snapshot() as table:
        key = next(key for key, _ in table.scan(b"D", b"D"))
    house.store.write({key: None})
    house.reopen()
    with pytest.raises(BrokenStorage, match="a dealing of the block at 2 is missing"):
        house.chain.block(Height(2))


async def test_a_replica_that_is_further_behind_is_let_go_of_and_the_rest_goes_on(
    house: House,
) -> None:
    house.lies[4].busy = 10**9
    await grown(house, KEPT + 1)
    async with house.at_work():
        house.lies[4].busy = 0
        await house.include(transfer(OWNER, KEPT + 1))
        while not house.lost:
            await house.include(transfer(OWNER, house.height - 1))
    assert [(seat, type(why)) for seat, why in house.lost] == [(4, DealingsErased)]
