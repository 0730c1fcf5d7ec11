"""What may follow a tip, and what is refused before anything of it is executed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Defect, Malformed, Refused
from keymoot.base.units import Height, UnixSeconds
from keymoot.runtime.block import (
    MAX_ENCODED_BYTES,
    BadBlock,
    Block,
    check_block,
)
from keymoot.runtime.gas import TRANSACTION_LIMIT
from keymoot.runtime.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS, MAX_TIME
from tests.runtime.people import (
    OWNER,
    VAULT,
    Scenario,
)
from tests.runtime.replicas import following, run

blocks = st.builds(
    Block,
    st.integers(0, 2**64 - 1).map(Height),
    st.integers(0, 2**64 - 1).map(UnixSeconds),
    st.lists(st.binary(max_size=50), max_size=10).map(tuple),
)


@given(blocks)
def test_a_block_is_read_back(block: Block) -> None:
    assert Block.decode(block.encode()) == block


@given(st.binary(max_size=200))
def test_a_block_has_one_form(raw: bytes) -> None:
    try:
        found = Block.decode(raw)
    except Malformed:
        return
    assert found.encode() == raw


def test_bounds_of_bytes_and_items_hold_before_a_block_is_read() -> None:
    block = Block(Height(1), UnixSeconds(1), (b"x",) * MAX_BLOCK_TRANSACTIONS)
    assert Block.decode(block.encode()) == block
    largest = Block(
        Height(2**64 - 1), UnixSeconds(2**64 - 1), (bytes(MAX_BLOCK_BYTES // 256),) * 256
    )
    assert Block.decode(largest.encode()) == largest
    with pytest.raises(Malformed, match="more than 259 items"):
        Block.decode(replace(block, transactions=(*block.transactions, b"x")).encode())
    with pytest.raises(Malformed, match="block: at most"):
        Block.decode(bytes(MAX_ENCODED_BYTES + 1))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda block: replace(block, height=Height(block.height + 1)), "cannot follow block"),
        (lambda block: replace(block, height=Height(block.height - 1)), "cannot follow block"),
        (lambda block: replace(block, time=UnixSeconds(block.time - 2)), "its parent"),
        (lambda block: replace(block, time=UnixSeconds(MAX_TIME + 1)), "at most 253402300799"),
        (lambda block: replace(block, transactions=block.transactions * 2), "stands twice"),
        (lambda block: replace(block, transactions=(b"\x02junk",)), "holds something else"),
        (lambda block: replace(block, transactions=(b"",)), "holds something else"),
        (
            lambda block: replace(block, transactions=tuple(b"%d" % at for at in range(257))),
            "257 transactions",
        ),
        (
            lambda block: replace(
                block, transactions=tuple(bytes([at]) * 131_072 for at in range(33))
            ),
            "33 transactions of 4325376 bytes",
        ),
    ],
)
def test_what_may_not_follow_is_refused_whole(change, why: str) -> None:
    scenario = Scenario()
    block = following(scenario, scenario.raw(OWNER, VAULT, b"", 1))
    check_block(scenario.chain.tip, block, scenario.chain.transition.open)
    for refuse in (
        lambda bad: check_block(scenario.chain.tip, bad, scenario.chain.transition.open),
        lambda bad: run(scenario, bad),
    ):
        with pytest.raises(BadBlock, match=why):
            refuse(change(block))


def test_a_block_may_carry_its_parents_time() -> None:
    scenario = Scenario()
    assert run(scenario, following(scenario, seconds=0)).header.time == scenario.chain.tip.time


def test_the_gas_of_a_block_is_bounded_by_what_its_transactions_want() -> None:
    scenario, gas = Scenario(), TRANSACTION_LIMIT
    raws = [scenario.raw(OWNER, VAULT, b"", value, gas=gas) for value in range(3)]
    assert run(scenario, following(scenario, *raws[:2]))
    with pytest.raises(BadBlock, match="wants 90000000 gas, at most 60000000 fit"):
        run(scenario, following(scenario, *raws))


def test_a_refusal_to_open_is_a_bad_block_and_what_else_arises_is_not() -> None:
    scenario = Scenario()

    def opening(error: Exception):
        def fail(_: bytes):
            raise error

        return fail

    block = following(scenario, b"x")
    for error in (Refused("no"), Malformed("no")):
        with pytest.raises(BadBlock, match="holds something else: no"):
            check_block(scenario.chain.tip, block, opening(error))
    with pytest.raises(Defect):
        check_block(scenario.chain.tip, block, opening(Defect("ours")))
