"""The local engine: proof blocks, dates, crashes, replay."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.attest.block import results_hash
from keymoot.attest.quorum import verify_commit
from keymoot.base.errors import Defect, Refused
from keymoot.base.fixed import Address
from keymoot.base.units import Height, UnixNanos
from keymoot.crypto.keccak import keccak256
from keymoot.engine.application import (
    Application,
    BadProposal,
    CannotExecute,
    Finalized,
    first_block,
)
from keymoot.engine.ledger import NotIncluded
from keymoot.engine.lmdb_table import CannotOpen, LmdbStore
from keymoot.engine.start import BrokenArchive, open_application
from keymoot.runtime.machine import Machine as Contracts
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT
from tests.engine.parts import Crash, Machine, transfer
from tests.runtime.people import AGENT, OWNER, STRANGER


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "data")
    yield made
    made.close()


async def send(machine: Machine, *raws: bytes) -> None:
    for raw in raws:
        await machine.ledger.submit(raw)
    await machine.settle()


def balance(machine: Machine, who) -> int:
    return machine.ledger.state().account(who.address).balance


async def test_every_block_with_transactions_is_proved_by_the_next(machine: Machine) -> None:
    await send(machine, transfer(OWNER, 0))
    blocks = [machine.ledger.block(Height(h)) for h in range(1, machine.height + 1)]
    filled = [block for block in blocks if block.transactions]
    assert len(filled) == 1
    after = blocks[filled[0].header.height]
    assert not after.transactions
    assert after.header.app_hash == machine.engine.app.committed.root
    receipts = machine.ledger.receipts(filled[0])
    assert receipts[0].status == 1
    signed = machine.ledger.signed_header(after.header.height)
    verify_commit(signed, machine.genesis.validators(), machine.genesis.chain_text)
    assert machine.ledger.provable_height() == machine.height


async def test_an_idle_network_makes_no_blocks(machine: Machine) -> None:
    await machine.settle()
    height = machine.height
    await machine.settle()
    assert machine.height == height == 1


async def test_after_an_idle_night_the_first_block_is_empty(machine: Machine) -> None:
    await send(machine, transfer(OWNER, 0))
    machine.clock.sleep(8 * 3600)
    before = machine.height
    await send(machine, transfer(OWNER, 1))
    stale, filled, proof = (machine.ledger.block(Height(before + n)) for n in (1, 2, 3))
    assert [len(one.transactions) for one in (stale, filled, proof)] == [0, 1, 0]
    assert machine.clock.now - stale.header.time > 7 * 3600 * 10**9
    assert machine.clock.now - filled.header.time < 10**9


async def test_a_validator_refuses_a_full_block_dated_yesterday(machine: Machine) -> None:
    await send(machine, transfer(OWNER, 0))
    await machine.ledger.submit(transfer(OWNER, 1))
    machine.engine._propose()
    block = machine.engine._proposal.block
    assert block.transactions
    app = machine.engine.app
    app.process(block, block.header.time)
    with pytest.raises(BadProposal, match="five seconds"):
        app.process(block, UnixNanos(block.header.time + 6 * 10**9))
    with pytest.raises(BadProposal, match="twice"):
        doubled = type(block)(block.header, block.transactions * 2, block.last_commit)
        app.process(doubled, block.header.time)
    with pytest.raises(BadProposal, match="something else"):
        junk = type(block)(block.header, (b"junk",), block.last_commit)
        app.process(junk, block.header.time)


async def test_time_never_goes_back(machine: Machine) -> None:
    for n in range(4):
        machine.clock.now -= 10**9 * n
        await send(machine, transfer(OWNER, n))
    times = [machine.ledger.block(Height(h)).header.time for h in range(1, machine.height + 1)]
    assert times == sorted(set(times))


async def test_a_crash_before_the_signature_re_proposes_the_very_same_block(
    machine: Machine,
) -> None:
    await machine.settle()
    await machine.ledger.submit(transfer(OWNER, 0))
    machine.signer.crash_at = 2
    with pytest.raises(Crash):
        await machine.settle()
    proposed = machine.engine._proposal
    machine.clock.sleep(100)
    machine.reopen()
    machine.signer.crash_at = None
    assert machine.engine._proposal == proposed
    await machine.settle()
    assert machine.ledger.block(Height(2)) == proposed.block
    assert balance(machine, STRANGER) == 10**24 + 1


async def test_a_crash_between_signature_and_commit_signs_the_same_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.settle()
    await machine.ledger.submit(transfer(OWNER, 0))
    machine.engine._propose()

    def no_power(batch: object) -> None:
        raise Crash

    monkeypatch.setattr(machine.store, "write", no_power)
    with pytest.raises(Crash):
        await machine.engine.step()
    machine.reopen()
    await machine.settle()
    ballots = [one for one in machine.signer.signed if one.height == 2]
    assert len(ballots) == 2
    assert ballots[0] == ballots[1]
    assert balance(machine, STRANGER) == 10**24 + 1


async def test_a_restart_continues_with_the_same_root(machine: Machine) -> None:
    for n in range(3):
        await send(machine, transfer(OWNER, n))
    before = machine.engine.app.committed
    machine.reopen()
    assert machine.engine.app.committed == before
    await send(machine, transfer(OWNER, 3))
    assert balance(machine, STRANGER) == 10**24 + 4


def replay(machine: Machine) -> Application:
    """Execute the whole chain again from genesis, in memory."""
    table = MemoryTable()
    keys = StateKeys(machine.keys._secret, machine.genesis.network)
    committed, batch = first_block(machine.genesis, State(table, EMPTY_ROOT))
    table.apply(batch)
    app = Application(machine.genesis, keys, committed)
    for height in range(1, machine.height + 1):
        block = machine.ledger.block(Height(height))
        block.check()
        assert block.header.app_hash == app.committed.root
        done = app.finalize(table, block)
        table.apply(done.batch)
        app.commit(results_hash(done.results))
    return app


async def test_replay_from_genesis_gives_the_same_roots(machine: Machine) -> None:
    await send(machine, *(transfer(OWNER, n) for n in range(20)), transfer(AGENT, 0))
    await send(machine, *(transfer(STRANGER, n, OWNER.address, 5) for n in range(10)))
    assert replay(machine).committed == machine.engine.app.committed


async def test_waiting_ends_when_the_transaction_is_final(machine: Machine) -> None:
    name = await machine.ledger.submit(transfer(OWNER, 0))
    waiter = asyncio.create_task(machine.ledger.wait(name, 5))
    await asyncio.sleep(0)
    await machine.settle()
    found = await waiter
    assert found.receipt.status == 1
    assert found.block.header.height < machine.ledger.provable_height()
    assert await machine.ledger.wait(name, 0.01) == found
    assert await machine.ledger.wait(keccak256(b"unknown"), 0.01) is None


async def test_the_same_bytes_again_are_no_error_and_nothing_happens_twice(
    machine: Machine,
) -> None:
    raw = transfer(OWNER, 0)
    first = await machine.ledger.submit(raw)
    assert await machine.ledger.submit(raw) == first
    await machine.settle()
    assert await machine.ledger.submit(raw) == first
    await machine.settle()
    assert balance(machine, STRANGER) == 10**24 + 1


async def test_what_cannot_enter_its_block_tells_who_waits(machine: Machine) -> None:
    await machine.settle()
    first = await machine.ledger.submit(transfer(OWNER, 0, value=10**24 - 10**17))
    with pytest.raises(Refused, match="transactions that wait take up to"):
        await machine.ledger.submit(transfer(OWNER, 1, value=10**17))
    late = machine.ledger.open(transfer(OWNER, 1, value=10**17))
    machine.engine.mempool.add(late)  # as if it had been checked a moment before
    name = late.hash
    waiter = asyncio.create_task(machine.ledger.wait(name, 5))
    await asyncio.sleep(0)
    await machine.settle()
    with pytest.raises(NotIncluded, match="insufficient funds"):
        await waiter
    assert machine.ledger.transaction(first).receipt.status == 1
    assert machine.ledger.transaction(name) is None


async def test_four_signers_make_a_commit_of_four(tmp_path: Path) -> None:
    machine = Machine(tmp_path, signers=4)
    await send(machine, transfer(OWNER, 0))
    commit = machine.ledger.signed_header(Height(2)).commit
    assert len({one.signature for one in commit.signatures}) == 4
    machine.close()


async def test_verbs_out_of_order_are_defects(machine: Machine) -> None:
    await send(machine, transfer(OWNER, 0))
    app = machine.engine.app
    with pytest.raises(Defect, match="commit without finalize"):
        app.commit(b"")
    with pytest.raises(Defect, match="out of order"):
        app.finalize(machine.engine.snapshot, machine.ledger.block(Height(1)))


async def test_another_networks_folder_is_refused(machine: Machine, tmp_path: Path) -> None:
    await send(machine, transfer(OWNER, 0))
    other = Machine(tmp_path / "other", signers=2)
    with pytest.raises(BrokenArchive, match="another network"):
        open_application(machine.store, other.genesis, other.keys)
    other.close()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(CannotOpen, match="--data"):
        LmdbStore(blocked)


async def test_the_ledger_file_is_private(machine: Machine) -> None:
    files = [path for path in machine.folder.iterdir() if path.name == "ledger.mdb"]
    assert files
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


async def test_contract_creation_is_refused_by_name(machine: Machine) -> None:
    from dataclasses import replace

    from keymoot.base.transaction import decode_signed
    from keymoot.crypto.secp256k1 import sign
    from keymoot.crypto.transactions import signing_hash

    tx, _ = decode_signed(transfer(OWNER, 0))
    creation = replace(tx, to=None, gas=100_000)
    with pytest.raises(Refused, match="no EVM"):
        await machine.ledger.submit(creation.signed_bytes(sign(OWNER.key, signing_hash(creation))))
    assert isinstance(tx.to, Address)


def test_who_waits_longer_for_the_same_transaction_is_told_all_the_same(tmp_path: Path) -> None:
    machine = Machine(tmp_path)

    async def story() -> None:
        name = await machine.ledger.submit(transfer(OWNER, 0))
        patient = asyncio.create_task(machine.ledger.wait_final(name, 10))
        await asyncio.sleep(0)
        assert not await machine.ledger.wait_final(name, 0.01)
        await machine.settle()
        assert await patient

    asyncio.run(story())
    machine.close()


async def test_an_idle_network_makes_blocks_only_where_it_was_asked_to(machine: Machine) -> None:
    async def blocks_in(seconds: float) -> int:
        await machine.settle()
        before = machine.height
        running = asyncio.create_task(machine.engine.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return machine.height - before

    assert await blocks_in(0.3) == 0
    machine.engine._idle_seconds = 1
    await machine.ledger.submit(transfer(OWNER, 1))  # ahead of its turn: work for no block
    running = asyncio.create_task(machine.engine.run())
    try:
        async with asyncio.timeout(60):
            first = await machine.ledger.new_block()
            started = asyncio.get_running_loop().time()
            third = asyncio.Event()

            def count(done: Finalized, _: object) -> None:
                if done.block.header.height == first.height + 3:
                    third.set()

            machine.engine.on_committed(count)
            await third.wait()
            assert asyncio.get_running_loop().time() - started > 1.9
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert machine.ledger.receipts(machine.ledger.block(Height(first.height + 2))) == []
    assert len(machine.engine.mempool) == 1


async def test_a_block_that_cannot_be_executed_names_the_transaction_and_where(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.settle()
    raws = [transfer(OWNER, 0), transfer(AGENT, 0)]
    for raw in raws:
        await machine.ledger.submit(raw)
    right, calls = Contracts.call, []

    def fail(*given, **named):
        calls.append(given)
        if len(calls) % 2 == 0:
            raise Defect("an invariant broke")
        return right(*given, **named)

    monkeypatch.setattr(Contracts, "call", fail)
    for _ in range(2):  # at every start it says the same
        with pytest.raises(CannotExecute) as stopped:
            await machine.settle()
        said = str(stopped.value)
        named = machine.engine._proposal.block.transactions[1]
        assert f"transaction {keccak256(named).hex0x}, number 1" in said
        assert f"block {machine.height + 1} cannot be executed" in said
        assert "keymoot.base.errors.Defect at runtime/execute.py:" in said
        assert "an invariant broke" in said
        assert "Nothing of the block is written" in said
        machine.reopen()
    monkeypatch.undo()
    await machine.settle()
    assert balance(machine, STRANGER) == 10**24 + 2


async def test_a_refusal_that_nobody_expected_is_told_to_the_log(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Finalized] = []
    machine.engine.on_committed(lambda done, _: told.append(done))

    def fail(*_, **__):
        raise ValueError("not for the log")

    monkeypatch.setattr(Contracts, "transfer", fail)
    raw = transfer(OWNER, 0)
    await send(machine, raw)
    (done,) = [one for one in told if one.receipts]
    assert done.receipts[0].error_code == "UNEXECUTABLE"
    assert done.receipts[0].fault is None
    (fault,) = done.faults
    assert f"transaction {keccak256(raw).hex0x} in block 1: builtins.ValueError at" in fault
    assert "runtime/machine.py:" in fault
    assert "not for the log" not in fault
