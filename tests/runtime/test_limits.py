"""A limit through changes of policy: what a person would add up by hand, without buckets."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.strict_json import canonical
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.contracts.builtin.wallets.wallet import Book
from keymoot.policy.document import MAX_WINDOWS, parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.held import MAX_RESERVATIONS, Reservation
from keymoot.policy.limit import MAX_BUCKETS, Limit, Usage
from keymoot.store.entry import MAX_BLOB_BYTES
from tests.examples import examples
from tests.runtime.people import OWNER, RECOVERY, Scenario, payment, policy


def used(scenario: Scenario) -> str:
    return str(json.loads(scenario.view("usage", scenario.wallet)[0])[0]["used"])


def test_a_limit_that_is_dropped_and_set_again_stays_spent() -> None:
    scenario = Scenario().ready(limit=100)
    for nonce in range(10):
        assert scenario.ask(payment(10, nonce))[0].status == 1
    assert scenario.ask(payment(1, 10))[0].error_code == "LIMIT_EXCEEDED"
    free = policy(1)
    free["limits"], free["rules"][0]["spend"] = [], {}
    assert scenario.rule(free).status == 1
    assert scenario.rule(policy(100)).status == 1
    assert used(scenario) == "100"
    assert scenario.ask(payment(1, 10))[0].error_code == "LIMIT_EXCEEDED"
    # The same nonces again: the same money, and no more.
    for nonce in range(10):
        assert scenario.ask(payment(10, nonce))[0].status == 1
    assert scenario.ask(payment(11, 0))[0].error_code == "LIMIT_EXCEEDED"
    assert used(scenario) == "100"


def test_what_a_nonce_holds_outlives_a_policy_without_the_limit() -> None:
    scenario = Scenario().ready(limit=100)
    assert scenario.ask(payment(60, 0))[0].status == 1
    other = policy(1000)
    other["limits"][0]["id"] = "other"
    other["rules"][0]["spend"] = {"other": "$value"}
    assert scenario.rule(other).status == 1
    assert scenario.ask(payment(500, 0))[0].status == 1  # no limit of that name counts it
    assert scenario.rule(policy(100)).status == 1
    assert scenario.ask(payment(60, 0))[0].status == 1
    assert used(scenario) == "60"
    assert scenario.ask(payment(40, 1))[0].status == 1
    assert scenario.rule(other).status == 1
    assert scenario.ask(payment(500, 0))[0].status == 1
    assert scenario.ask(payment(501, 1))[0].error_code == "LIMIT_EXCEEDED"


def test_a_withdrawal_of_the_same_nonce_gives_nothing_back() -> None:
    scenario = Scenario().ready(limit=100)
    assert scenario.ask(payment(100, 0))[0].status == 1
    free = policy(1)
    free["limits"], free["rules"][0]["spend"] = [], {}
    scenario.rule(free)
    home = payment(1, 0, to=RECOVERY).unsigned_bytes()
    until = scenario.chain.block.time + 100
    assert scenario.send(
        OWNER, "withdraw", scenario.wallet, home, b"i" * 32, until, b"r" * 32, 0, 0
    ).status
    scenario.rule(policy(100))
    assert scenario.ask(payment(1, 1))[0].error_code == "LIMIT_EXCEEDED"
    assert scenario.ask(payment(100, 0))[0].status == 1
    assert used(scenario) == "100"


@pytest.mark.parametrize("meter", [None, "value"])
def test_what_asks_nothing_passes_a_lowered_limit(meter: str | None) -> None:
    def capped(limit: int) -> dict[str, Any]:
        document = policy(limit)
        if meter is not None:
            document["limits"][0]["meter"] = meter
            document["rules"][0]["spend"] = {}
        return document

    scenario = Scenario()
    scenario.grant()
    scenario.rule(capped(100))
    assert scenario.ask(payment(80, 0))[0].status == 1
    scenario.rule(capped(50))
    assert scenario.ask(payment(0, 1))[0].status == 1
    assert scenario.ask(payment(0, 0))[0].status == 1
    assert scenario.ask(payment(1, 1))[0].error_code == "LIMIT_EXCEEDED"
    # A replacement within the new limit adds nothing: the nonce may take 80 already.
    assert scenario.ask(payment(50, 0))[0].status == 1
    assert scenario.ask(payment(51, 0))[0].error_code == "LIMIT_EXCEEDED"
    assert used(scenario) == "80"


WINDOWS = {"1m": 60, "5m": 300, "1h": 3_600}

steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 4), st.integers(0, 60)),
        st.tuples(st.just("ask"), st.integers(0, 4), st.integers(0, 60)),
        st.tuples(st.just("wait"), st.sampled_from([1, 7, 50, 61, 300, 2_000]), st.just(0)),
        st.tuples(st.just("drop"), st.just(0), st.just(0)),
        st.tuples(st.just("set"), st.sampled_from([50, 100]), st.sampled_from(sorted(WINDOWS))),
        st.tuples(st.just("pause"), st.just(0), st.just(0)),
        st.tuples(st.just("name"), st.sampled_from(["day", "night"]), st.booleans()),
        st.tuples(st.just("withdraw"), st.integers(0, 4), st.just(0)),
    ),
    min_size=4,
    max_size=40,
)


class ByHand:
    """Everything that was signed under the limit: (second, nonce, amount)."""

    def __init__(self) -> None:
        self.signed: list[tuple[int, int, int]] = []
        self.longest = 0

    def since(self, start: int, signed: list[tuple[int, int, int]]) -> int:
        """Add up what may be mined of what was signed after `start`: of a nonce, one."""
        greatest: dict[int, int] = {}
        for at, nonce, amount in signed:
            if at > start:
                greatest[nonce] = max(greatest.get(nonce, 0), amount)
        return sum(greatest.values())

    def fits(self, now: int, nonce: int, amount: int, limit: int, window: int) -> bool:
        """Tell whether no window that grows by this holds more than the limit."""
        after = [*self.signed, (now, nonce, amount)]
        starts = [now - window, *(at for at, *_ in self.signed if at > now - window), now - 1]
        return all(
            self.since(start, after) <= limit
            for start in starts
            if self.since(start, after) > self.since(start, self.signed)
        )

    def sign(self, now: int, nonce: int, amount: int, window: int) -> None:
        """Write it down; what a longest window has not seen for its whole length is forgotten."""
        self.longest = max(self.longest, window)
        self.signed = [one for one in self.signed if one[0] > now - self.longest]
        self.signed.append((now, nonce, amount))


class Run:
    """The ledger and the hand side by side."""

    def __init__(self) -> None:
        self.scenario, self.hands = Scenario(), {"day": ByHand(), "night": ByHand()}
        self.scenario.grant(seconds=10_000_000)
        self.limit, self.window, self.present = 100, "5m", True
        self.name, self.metered = "day", False
        self.set()

    @property
    def hand(self) -> ByHand:
        """A limit is known by its name: each has a book of its own."""
        return self.hands[self.name]

    def set(self) -> None:
        document = policy(self.limit)
        document["limits"][0] |= {"window": self.window, "id": self.name}
        document["rules"][0]["spend"] = {} if self.metered else {self.name: "$value"}
        if self.metered:
            document["limits"][0]["meter"] = "value"
        if not self.present:
            document["limits"], document["rules"][0]["spend"] = [], {}
        assert self.scenario.rule(document).status == 1

    def ask(self, nonce: int, amount: int) -> None:
        receipt = self.scenario.ask(payment(amount, nonce))[0]
        now, window = self.scenario.chain.block.time, WINDOWS[self.window]
        if not self.present:
            assert receipt.status == 1
            return
        if receipt.status:
            assert self.hand.fits(now, nonce, amount, self.limit, window)
            if amount:
                self.hand.sign(now, nonce, amount, window)
            return
        assert receipt.error_code == "LIMIT_EXCEEDED"
        if not self.hand.fits(now, nonce, amount, self.limit, window):
            return
        # Not too strict: it would be too much if the others had been up to a 64th later.
        slack = window // 64 + self.hand.longest // 32
        earlier = ByHand()
        earlier.signed = [
            (at if other == nonce else min(at + slack, now), other, what)
            for at, other, what in self.hand.signed
        ]
        assert not earlier.fits(now, nonce, amount, self.limit, window)

    def step(self, kind: str, first: Any, second: Any) -> None:
        if kind == "ask":
            self.ask(first, second)
        elif kind == "wait":
            self.scenario.chain.pass_time(Seconds(first))
        elif kind == "pause":
            self.scenario.send(OWNER, "pause", self.scenario.wallet)
            self.scenario.send(OWNER, "resume", self.scenario.wallet)
        elif kind == "withdraw":
            home = payment(1, first, to=RECOVERY).unsigned_bytes()
            until = self.scenario.chain.block.time + 100
            name = len(self.hand.signed).to_bytes(16, "big") + until.to_bytes(16, "big")
            self.scenario.send(
                OWNER, "withdraw", self.scenario.wallet, home, name, until, b"r" * 32, 0, 0
            )
        else:
            self.present = kind != "drop"
            if kind == "set":
                self.limit, self.window = first, second
            elif kind == "name":
                self.name, self.metered = first, second
            self.set()


@settings(max_examples=examples(60), deadline=None)
@given(steps)
def test_no_sequence_of_policies_signs_more_than_the_limit(plan: list[Any]) -> None:
    run = Run()
    for one in plan:
        run.step(*one)


@pytest.mark.soak
@settings(max_examples=1_000, deadline=None)
@given(steps)
def test_no_long_search_finds_a_sequence_that_signs_more(plan: list[Any]) -> None:
    run = Run()
    for one in plan:
        run.step(*one)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([60, 61, 300, 3_600, 86_400, 31_622_400]), st.integers(0, 9_999)),
        max_size=400,
    )
)
def test_what_is_kept_of_a_limit_is_bounded(plan: list[tuple[int, int]]) -> None:
    usage, now = Usage(), UnixSeconds(1_800_000_000)
    for window, pause in plan:
        now = UnixSeconds(now + pause % (window // 40 + 2))
        usage = usage.add(Limit("l", 1, None, window), 1, now)
        assert len(usage.buckets) <= MAX_BUCKETS


def test_the_fullest_book_and_nonce_fit_into_their_cells_and_are_read_at_once() -> None:
    largest, now = 2**256 - 1, UnixSeconds(2**40)
    usage = Usage(((now, largest),) * MAX_BUCKETS, now, now)
    names = [f"{n:048}" for n in range(MAX_WINDOWS)]
    book = Book(largest, 2**63, dict.fromkeys(names, usage))
    raw = book.encode()
    assert len(raw) < MAX_BLOB_BYTES
    # Every request reads it three times: limits are items of RLP, and their buckets are none.
    assert rlp.decode(raw, max_items=3 + 7 * MAX_WINDOWS)
    assert Book.decode(raw) == book
    held = [Reservation(name, largest, now).item() for name in names * 16]
    assert len(held) == MAX_RESERVATIONS
    assert len(rlp.encode(held)) < MAX_BLOB_BYTES


@given(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**320 - 1)), max_size=20),
    st.integers(0, 2**64 - 1),
)
def test_what_was_spent_comes_back_from_its_bytes(
    buckets: list[tuple[UnixSeconds, int]], longest: int
) -> None:
    usage = Usage(tuple(buckets), Seconds(longest), UnixSeconds(3))
    assert Usage.decode(rlp.decode(rlp.encode(usage.encode()))) == usage


def test_bytes_that_are_no_buckets_are_malformed() -> None:
    for width, packed in ((b"", bytes(7)), (b"\x02", bytes(19)), (b"\x29", bytes(49))):
        with pytest.raises(Malformed, match="buckets of a limit"):
            Usage.decode([b"", b"", width, packed])


def test_few_limits_have_a_window_for_every_request_reads_them() -> None:
    def document(windows: int) -> bytes:
        changed = policy(500)
        windowed = [
            {"id": f"w{n}", "max": "1", "meter": "count", "window": "1h", "kind": "rolling"}
            for n in range(windows)
        ]
        single = {"id": "one", "max": "1", "meter": "count", "per": "tx"}
        changed["limits"] = [*changed["limits"], *windowed, single]
        return canonical(changed)

    assert len(parse_policy(document(MAX_WINDOWS - 1)).limits) == MAX_WINDOWS + 1
    with pytest.raises(BadPolicy, match=r"^limits: 9 limits have a window, at most 8 may"):
        parse_policy(document(MAX_WINDOWS))
