"""A block: what follows a tip, and what executing it gives."""

from dataclasses import replace

import pytest
import rlp
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from keymoot.base.errors import Defect, Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, Seconds, UnixSeconds
from keymoot.committee.machine import NO_GENERATION
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.runtime.block import (
    NO_MIX,
    CannotExecute,
    Executed,
    Tip,
)
from keymoot.runtime.gas import USED_LIMIT
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.rules import MAX_TIME
from keymoot.runtime.state_transition import seed_of
from keymoot.store.entry import unpack
from keymoot.store.history import HISTORY_ADDRESS, history_slot
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys, Version
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.contracts.toys import Counter
from tests.runtime.people import (
    AGENT,
    OWNER,
    RECOVERY,
    STRANGER,
    VAULT,
    Scenario,
    calldata,
    payment,
    policy,
)
from tests.runtime.replicas import birth, following, run, toys
from tests.runtime.transcript import found_committee


def test_a_header_says_what_the_block_did() -> None:
    scenario = Scenario().ready()
    tip, root = scenario.chain.tip, scenario.chain.root
    good, _ = scenario.request(payment(5).unsigned_bytes(), name=b"g" * 32)
    bad, _ = scenario.request(payment(5, to=RECOVERY).unsigned_bytes(), name=b"b" * 32)
    # A legacy transaction, whose receipt has no type, and one of type 2.
    legacy = scenario.raw(STRANGER, VAULT, b"", 1, gas=21_000, kind=0)
    call = scenario.raw(OWNER, Wallets.ADDRESS, calldata(Wallets, "pause", scenario.wallet))
    block = following(scenario, good, bad, legacy, call, seconds=7)
    done = run(scenario, block)
    header = done.header
    assert (header.height, header.time) == (tip.height + 1, tip.time + 7)
    assert header.parent_hash == tip.hash == scenario.chain.blocks[-1].header.hash
    assert (header.gas_limit, header.base_fee) == (USED_LIMIT, scenario.chain.chain.base_fee)
    assert header.generation == NO_GENERATION
    assert [one.status for one in done.receipts] == [1, 0, 1, 1]
    # The roots, by other people's trie and RLP.
    transactions, receipts, total = HexaryTrie({}), HexaryTrie({}), 0
    for at, (raw, receipt) in enumerate(zip(block.transactions, done.receipts, strict=True)):
        transactions[rlp.encode(at)] = raw
        total += receipt.gas_used
        bits = 0
        for log in receipt.logs:
            for part in (log.address, *log.topics):
                digest = keccak(part)
                for pair in (digest[0:2], digest[2:4], digest[4:6]):
                    bits |= 1 << int.from_bytes(pair, "big") % 2048
        logs = [[log.address, list(log.topics), log.data] for log in receipt.logs]
        body = rlp.encode([receipt.status, total, bits.to_bytes(256, "big"), logs])
        receipts[rlp.encode(at)] = (b"" if raw is legacy else raw[:1]) + body
    assert header.transactions_root == transactions.root_hash
    assert header.receipts_root == receipts.root_hash
    assert header.gas_used == total == sum(one.gas_used for one in done.receipts)
    every = [log for one in done.receipts for log in one.logs]
    assert len({log.address for log in every}) >= 1
    assert all(
        int.from_bytes(header.logs_bloom, "big") >> int.from_bytes(keccak(topic)[:2], "big") % 2048
        & 1
        for log in every
        for topic in log.topics
    )
    # The state after it is what the writes make of the table.
    assert header.state_root != root
    table = MemoryTable(dict(scenario.chain.table.items()))
    table.apply(done.writes)
    after = State(table, header.state_root)
    assert after.account(VAULT).balance == 1
    assert after.slot(HISTORY_ADDRESS, history_slot(tip.height)) == tip.hash.lstrip(b"\0")
    assert done.tip == Tip(
        header.height, header.hash, header.time, header.state_root, header.generation
    )


def test_requests_are_answered_at_the_end_of_time() -> None:
    scenario = Scenario().ready()
    rolling = policy(limits=[{"id": "day", "max": "500", "window": "24h", "kind": "rolling"}])
    assert scenario.rule(rolling).status == 1
    scenario.chain.pass_time(Seconds(MAX_TIME - scenario.chain.block.time - 1))
    until = MAX_TIME + 10**6
    assert scenario.send(OWNER, "grant", scenario.wallet, AGENT.address, until).status == 1
    assert scenario.chain.tip.time == MAX_TIME
    raw, _ = scenario.request(payment(5).unsigned_bytes(), seconds=300)
    done = run(scenario, following(scenario, raw, seconds=0))
    assert [one.error_code for one in done.receipts] == [""]
    assert done.faults == ()


def test_what_may_not_enter_leaves_nothing_but_its_receipt() -> None:
    scenario = Scenario().ready()
    paid = scenario.raw(OWNER, VAULT, b"", 1)
    unpaid = scenario.raw(replace(STRANGER, name="poor"), VAULT, b"", 10**30)
    with_it, without = (
        run(scenario, following(scenario, paid, unpaid)),
        run(scenario, following(scenario, paid)),
    )
    refused = with_it.receipts[1]
    assert (refused.status, refused.gas_used, refused.logs) == (0, 0, ())
    assert with_it.changes == without.changes
    assert with_it.header.state_root == without.header.state_root
    assert with_it.header.hash != without.header.hash


def test_an_undone_call_leaves_its_price_and_nothing_else() -> None:
    scenario = Scenario().ready()
    before = scenario.chain.state()
    # It would have written a policy, and its sender does not own the wallet.
    data = calldata(Wallets, "pause", scenario.wallet)
    done = run(scenario, following(scenario, scenario.raw(STRANGER, Wallets.ADDRESS, data)))
    (receipt,) = done.receipts
    assert (receipt.status, receipt.logs) == (0, ())
    assert done.changes.slots.keys() == {HISTORY_ADDRESS}
    assert done.changes.accounts.keys() == {STRANGER.address}
    nonce, balance, _ = done.changes.accounts[STRANGER.address]
    was = before.account(STRANGER.address)
    assert (nonce, was.balance - balance) == (was.nonce + 1, receipt.gas_used * receipt.price)


def test_an_empty_block_writes_its_parents_hash_and_nothing_else() -> None:
    scenario = Scenario()
    done = run(scenario, following(scenario))
    slot = history_slot(scenario.chain.tip.height)
    assert done.changes.accounts == {}
    assert {at: set(slots) for at, slots in done.changes.slots.items()} == {HISTORY_ADDRESS: {slot}}
    assert done.header.gas_used == 0
    assert done.header.logs_bloom == bytes(256)


def entries(scenario: Scenario, done: Executed) -> list[bytes]:
    """Give every sealed entry of the Vault that a block wrote."""
    found = []
    for address, slots in done.changes.slots.items():
        keys = scenario.chain.keys.at(Version()).contract_keys(address)
        for slot, write in slots.items():
            if address == HISTORY_ADDRESS or not write.value:
                continue
            raw = unpack(write.value, write.blob)
            aad = scenario.chain.keys.network + address + slot + raw[:4]
            try:
                keys.sealer(0).open(raw[4:16], raw[16:], aad, "an entry")
            except Malformed:
                continue
            found.append(raw)
    return found


def test_forks_of_one_height_share_no_nonce_and_no_randomness() -> None:
    scenario = Scenario()
    raw, tip = birth(scenario), scenario.chain.tip
    block = following(scenario, raw)
    here = run(scenario, block)
    # The same block on another parent; dated otherwise; with a transaction more behind.
    parent = run(scenario, block, replace(tip, hash=Hash32(b"f" * 32)))
    later = run(scenario, following(scenario, raw, seconds=2))
    more = run(scenario, following(scenario, raw, scenario.raw(OWNER, VAULT, b"", 1)))
    runs = [here, parent, later, more]
    assert all(done.receipts[0].status == 1 for done in runs)
    outputs = {done.receipts[0].output for done in runs}
    assert len(outputs) == len(runs)  # the address of a key that was drawn
    nonces = [entry[4:16] for done in runs for entry in entries(scenario, done)]
    assert len(nonces) >= len(runs)
    assert len(set(nonces)) == len(nonces)
    assert len({done.header.mix_hash for done in runs}) == len(runs)
    # A replica that executes the same block gives the same bytes.
    again = run(scenario, block)
    assert again == here
    assert Outcome.of(again).encode() == Outcome.of(here).encode()


def test_a_hash_hides_what_the_block_did_from_all_who_lack_the_secret() -> None:
    scenario = Scenario()
    block = following(scenario, scenario.raw(OWNER, VAULT, b"", 1))
    network = scenario.chain.chain.network
    one = run(scenario, block)
    other = run(scenario, block, keys=StateKeys(Secret(b"s" * 32), network))
    # Nothing but the mix hash differs, and with it the hash.
    assert replace(one.header, mix_hash=other.header.mix_hash) == other.header
    assert one.header.hash != other.header.hash
    # It is neither nothing nor anything of what the host knows.
    tip, root = scenario.chain.tip, one.header.transactions_root
    seed = seed_of(tip.hash, root, block.height, block.time)
    known = {NO_MIX, seed, keccak(seed), keccak(tip.hash + root), keccak(network + seed)}
    assert one.header.mix_hash not in known
    # Nor what the same secret gives for randomness or nonces.
    assert one.header.mix_hash != scenario.chain.keys.at(Version()).random(seed, 0, 1, 32).expose()


def test_a_seed_is_every_part_of_what_the_block_builds_on() -> None:
    first = (Hash32(b"p" * 32), Hash32(b"t" * 32), Height(5), UnixSeconds(9))
    others = [
        (Hash32(b"q" * 32), *first[1:]),
        (first[0], Hash32(b"u" * 32), *first[2:]),
        (*first[:2], Height(6), first[3]),
        (*first[:3], UnixSeconds(10)),
    ]
    written = b"keymoot/v1/seed" + b"p" * 32 + b"t" * 32 + bytes(7) + b"\5" + bytes(7) + b"\t"
    assert seed_of(*first) == keccak(written)
    assert len({seed_of(*one) for one in [first, *others]}) == 5


def test_before_the_state_key_exists_nothing_asks_for_it() -> None:
    scenario = toys()
    found_committee(scenario)
    nothing = StateKeys(None, scenario.chain.chain.network)
    bump = scenario.raw(STRANGER, Counter.ADDRESS, calldata(Counter, "bump"))
    block = following(scenario, scenario.raw(OWNER, VAULT, b"", 1), bump)
    done = run(scenario, block, keys=nothing)
    assert done.header.mix_hash == NO_MIX
    assert [one.error_code for one in done.receipts] == ["", "STATE_KEY_AWAITED"]
    assert run(scenario, block).header == done.header


def test_a_state_key_that_exists_and_is_not_here_is_a_defect() -> None:
    scenario = Scenario()
    nothing = StateKeys(None, scenario.chain.chain.network)
    with pytest.raises(Defect, match="before it is here"):
        run(scenario, following(scenario), keys=nothing)


def test_a_header_carries_the_generation_after_the_block() -> None:
    scenario = Scenario()
    found_committee(scenario)
    assert run(scenario, following(scenario)).header.generation == NO_GENERATION
    journal = Journal(scenario.chain.state())
    store = PublicStore(journal, Nodes.ADDRESS, FreeMeter())
    state = committee_on(store, scenario.chain.chain.network).state
    state.record = replace(state.record, generation=Hash32(b"g" * 32))
    scenario.chain.alter(journal.changes())
    done = run(scenario, following(scenario))
    assert done.header.generation == done.tip.generation == b"g" * 32


def test_another_table_stops_the_block() -> None:
    scenario = Scenario().ready()
    block = following(scenario, scenario.raw(OWNER, VAULT, b"", 1))
    with pytest.raises(Exception, match="is missing or is not what was committed"):
        chain = scenario.chain
        chain.transition.execute(State(MemoryTable(), chain.root), chain.tip, block)


METHODS = sorted(Wallets.METHODS.values(), key=lambda one: one.name)

steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 700), st.binary(min_size=1, max_size=1)),
        st.tuples(st.just("call"), st.sampled_from(METHODS), st.binary(max_size=100)),
        st.tuples(st.just("send"), st.integers(0, 10**24), st.sampled_from([21_000, 50_000])),
        st.tuples(st.just("birth"), st.binary(min_size=1, max_size=1), st.just(0)),
    ),
    max_size=6,
)


def raws_of(scenario: Scenario, made: list) -> tuple[bytes, ...]:
    raws = []
    for kind, first, second in made:
        if kind == "ask":
            raws.append(scenario.request(payment(first).unsigned_bytes(), name=second * 32)[0])
        elif kind == "call":
            data = first.selector + bytes(scenario.wallet) + second
            raws.append(scenario.raw(OWNER, Wallets.ADDRESS, data, gas=500_000))
        elif kind == "send":
            raws.append(scenario.raw(AGENT, VAULT, b"", first, gas=second))
        else:
            raws.append(birth(scenario, first))
    return tuple(dict.fromkeys(raws))


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, min_size=1, max_size=3))
def test_any_block_gives_every_replica_the_same(listed: list) -> None:
    scenario = Scenario().ready()
    for made in listed:
        block = following(scenario, *raws_of(scenario, made))
        replica = run(scenario, block)
        scenario.chain.send_together(list(block.transactions))
        assert scenario.chain.blocks[-1] == replica
        assert Outcome.decode(Outcome.of(replica).encode()) == Outcome.of(replica)
        header, used = replica.header, sum(one.gas_used for one in replica.receipts)
        assert (header.gas_used, len(replica.receipts)) == (used, len(block.transactions))
        # What was undone may not have logged (a refusal of a request is logged, and stays).
        for raw, receipt in zip(block.transactions, replica.receipts, strict=True):
            assert receipt.status or raw[0] == 0x4B or receipt.logs == ()


def test_a_defect_in_a_transaction_leaves_no_block() -> None:
    scenario = toys()
    before = dict(scenario.chain.table.items())
    leak = scenario.raw(OWNER, Counter.ADDRESS, calldata(Counter, "leak"))
    with pytest.raises(CannotExecute, match="number 1 in it"):
        run(scenario, following(scenario, scenario.raw(AGENT, VAULT, b"", 1), leak))
    assert dict(scenario.chain.table.items()) == before
