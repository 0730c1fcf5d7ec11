"""Who waits for stock: places by wallet, and turns by wallet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, WalletId
from keymoot.base.request import MAX_PAYLOAD_BYTES
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.queue import (
    MAX_BYTES,
    MAX_PLACES,
    MAX_QUEUE,
    MAX_SHARE_BYTES,
    StockEmpty,
    Waiting,
    join,
    read,
    write,
)
from keymoot.contracts.builtin.wallets.record import AGENT, MAX_OUTCOME_BYTES, OWNER

_keys = iter(range(1, 10**9))


def one(wallet: str, kind: str = AGENT, size_bytes: int = 500) -> Waiting:
    return Waiting(
        key=Bytes32(next(_keys).to_bytes(32, "big")),
        wallet=WalletId(wallet.encode().ljust(32)),
        requester=Address(b"\x07" * 20),
        kind=kind,
        policy_version=3,
        expires_at=UnixSeconds(1_800_000_000),
        size_bytes=size_bytes,
    )


def lined_up(letters: str) -> list[Waiting]:
    waiting: list[Waiting] = []
    for letter in letters:
        waiting = join(waiting, one(letter))
    return waiting


def letters(waiting: list[Waiting]) -> str:
    return "".join(bytes(each.wallet)[:1].decode() for each in waiting)


# -- places


def test_one_wallet_has_a_quarter_of_the_places_and_the_others_get_in() -> None:
    waiting = lined_up("A" * MAX_PLACES)
    assert len(waiting) == MAX_PLACES == MAX_QUEUE // 4 == 64
    with pytest.raises(StockEmpty, match="64 requests of this wallet wait already") as refused:
        join(waiting, one("A"))
    assert refused.value.code == "STOCK_EMPTY"
    assert str(refused.value).endswith("ask in a moment")
    assert len(join(waiting, one("B"))) == MAX_PLACES + 1


def test_all_places_together_are_bounded() -> None:
    waiting = lined_up("ABCD" * MAX_PLACES)
    assert len(waiting) == MAX_QUEUE
    with pytest.raises(StockEmpty, match="256 requests wait already"):
        join(waiting, one("E"))


def test_agents_take_no_place_of_an_owners_withdrawals() -> None:
    waiting = lined_up("ABCD" * MAX_PLACES)
    for _ in range(MAX_PLACES):
        waiting = join(waiting, one("A", OWNER))
    with pytest.raises(StockEmpty, match="64 withdrawals of this wallet"):
        join(waiting, one("A", OWNER))
    for wallet in "BCD" * MAX_PLACES:
        waiting = join(waiting, one(wallet, OWNER))
    with pytest.raises(StockEmpty, match="256 withdrawals wait"):
        join(waiting, one("E", OWNER))


def test_what_waits_is_bounded_in_bytes_before_it_is_held() -> None:
    longest = MAX_PAYLOAD_BYTES + MAX_OUTCOME_BYTES
    waiting: list[Waiting] = []
    for wallet in "ABCD":
        for _ in range(MAX_SHARE_BYTES // longest):
            waiting = join(waiting, one(wallet, size_bytes=longest))
        with pytest.raises(StockEmpty, match="requests of this wallet of 983040 bytes wait"):
            join(waiting, one(wallet, size_bytes=longest))
    # What is short gets in beside it, up to the bound.
    left = MAX_SHARE_BYTES - sum(
        each.size_bytes for each in waiting if each.line == waiting[0].line
    )
    for wallet in "ABCD":
        waiting = join(waiting, one(wallet, size_bytes=left))
    assert sum(each.size_bytes for each in waiting) == MAX_BYTES
    with pytest.raises(StockEmpty, match="requests of 4194304 bytes wait already"):
        join(waiting, one("E", size_bytes=1))
    # An owner's withdrawals have bytes of their own.
    assert len(join(waiting, one("A", OWNER, longest))) == len(waiting) + 1


# -- turns


@pytest.mark.parametrize(
    ("came", "stand"),
    [
        ("AAA", "AAA"),
        ("AAAB", "ABAA"),
        ("AAABB", "ABABA"),
        ("AAABBC", "ABCABA"),
        ("AAABBCA", "ABCABAA"),
        ("ABCABC", "ABCABC"),
    ],
)
def test_who_comes_lets_one_of_each_other_wallet_go_first(came: str, stand: str) -> None:
    assert letters(lined_up(came)) == stand


def test_a_withdrawal_does_not_stand_behind_what_the_wallets_agents_asked() -> None:
    waiting = join(lined_up("AAAB"), one("A", OWNER))
    assert [each.kind for each in waiting] == [AGENT, AGENT, OWNER, AGENT, AGENT]
    assert letters(waiting) == "ABAAA"


@given(st.lists(st.sampled_from("ABCDE-"), max_size=60))
def test_between_two_of_a_wallet_no_other_is_served_twice(steps: list[str]) -> None:
    waiting: list[Waiting] = []
    came: dict[str, list[Waiting]] = {letter: [] for letter in "ABCDE"}
    for step in steps:
        if step == "-":
            for served in waiting[:1]:
                # Within a wallet those who came first go first.
                assert came[letters([served])].pop(0) == served
            waiting = waiting[1:]
        else:
            came[step].append(one(step))
            waiting = join(waiting, came[step][-1])
        for letter in "ABCDE":
            for between in letters(waiting).split(letter)[:-1]:
                assert len(set(between)) == len(between)


# -- the cell


def test_the_cell_gives_back_what_was_written() -> None:
    waiting = [*lined_up("AABC"), one("A", OWNER)]
    assert read(write(waiting)) == waiting
    assert read(None) == []
    assert write([]) is None


WHOLE = one("A").encode()


@pytest.mark.parametrize(
    "raw",
    [b"", WHOLE, rlp.encode([[WHOLE]]), rlp.encode([WHOLE[:-1]]), rlp.encode([WHOLE + b"x"])],
)
def test_what_is_no_queue_is_malformed(raw: bytes) -> None:
    assert read(rlp.encode([WHOLE]))
    with pytest.raises(Malformed):
        read(raw)


def test_a_kind_that_is_none_is_malformed() -> None:
    with pytest.raises(Malformed, match="of a kind"):
        read(rlp.encode([WHOLE[:84] + b"\x02" + WHOLE[85:]]))
