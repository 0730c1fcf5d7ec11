"""Windows roll: never more than the limit in any true window, and no dead budget either."""

from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.units import Nonce, Seconds, UnixSeconds, Wei
from keymoot.policy.held import Reservation
from keymoot.policy.limit import BUCKETS, MAX_BUCKETS, Limit, Usage
from tests.examples import examples
from tests.policy.documents import NOW, STRANGER, interfaces, judge, parsed, tx

MAX = 1_000
WINDOW = 3_600
LIMIT = Limit("l", MAX, None, Seconds(WINDOW))
WIDTH = WINDOW // BUCKETS

spends = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 700)), min_size=1, max_size=60)


@settings(max_examples=examples(300))
@given(spends)
def test_no_true_window_ever_holds_more_than_the_limit(steps: list[tuple[int, int]]) -> None:
    usage, now, accepted = Usage(), NOW, []
    for pause, amount in steps:
        now = UnixSeconds(now + pause)
        if usage.used(LIMIT, now) + amount <= MAX:
            usage = usage.add(LIMIT, amount, now)
            accepted.append((now, amount))
        else:
            # Not too strict: within one bucket more of time, it really would be too much.
            recent = [a for at, a in accepted if at > now - WINDOW - WIDTH]
            assert sum(recent) + amount > MAX
        assert sum(a for at, a in accepted if now - WINDOW < at <= now) <= MAX
        assert len(usage.buckets) <= MAX_BUCKETS
    for end, _ in accepted:
        assert sum(a for at, a in accepted if end - WINDOW < at <= end) <= MAX


@given(spends, st.integers(1, MAX))
def test_available_at_is_the_first_moment_at_which_it_fits(
    steps: list[tuple[int, int]], wanted: int
) -> None:
    usage, now = Usage(), NOW
    for pause, amount in steps:
        now = UnixSeconds(now + pause)
        if usage.used(LIMIT, now) + amount <= MAX:
            usage = usage.add(LIMIT, amount, now)
    if usage.used(LIMIT, now) + wanted > MAX:
        at = usage.available_at(LIMIT, wanted, now)
        assert at is not None
        assert usage.used(LIMIT, at) + wanted <= MAX
        assert usage.used(LIMIT, UnixSeconds(at - 1)) + wanted > MAX
    assert usage.available_at(LIMIT, MAX + 1, now) is None


def _paying(limit: int = MAX) -> object:
    document = interfaces()
    document["rules"] = [
        {
            "id": "pay",
            "action": "ALLOW",
            "method": "eth_signTransaction",
            "to": {"eq": STRANGER.hex0x},
            "value": {"gte": "0"},
            "spend": {"hour": "$value"},
        }
    ]
    document["limits"] = [{"id": "hour", "max": str(limit), "window": "1h", "kind": "rolling"}]
    return parsed(document)


POLICY = _paying()

replacing = st.lists(
    st.tuples(st.integers(0, 1_500), st.integers(0, 4), st.integers(0, 700)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=examples(300), deadline=None)
@given(replacing)
def test_replacing_nonces_never_frees_budget_that_could_still_be_spent(
    steps: list[tuple[int, int, int]],
) -> None:
    """A nonce is mined once: a window counts the greatest that was signed for it inside."""
    usage: dict[str, Usage] = {}
    held: dict[int, tuple[Reservation, ...]] = {}
    signed: list[tuple[int, int, int]] = []
    now = NOW
    for pause, nonce, amount in steps:
        now = UnixSeconds(now + pause)
        transaction = tx(STRANGER, value=Wei(amount), nonce=Nonce(nonce))
        decision = judge(transaction, POLICY, usage, held.get(nonce, ()), now)
        if decision.allowed:
            usage |= decision.usage
            held[nonce] = decision.reservations
            signed.append((now, nonce, amount))
        greatest: dict[int, int] = {}
        for at, one, value in signed:
            if at > now - WINDOW:
                greatest[one] = max(greatest.get(one, 0), value)
        assert sum(greatest.values()) <= MAX


def test_a_replacement_reserves_only_what_is_more() -> None:
    def pay(amount: int, nonce: int, usage: dict, held: tuple = (), later: int = 0):
        transaction = tx(STRANGER, value=Wei(amount), nonce=Nonce(nonce))
        return judge(transaction, POLICY, usage, held, NOW + later)

    first = pay(600, 0, {})
    same = pay(600, 0, first.usage, first.reservations)
    assert same.allowed
    assert same.usage["hour"].used(LIMIT, NOW) == 600
    more = pay(900, 0, same.usage, same.reservations)
    assert more.usage["hour"].used(LIMIT, NOW) == 900
    less = pay(10, 0, more.usage, more.reservations)
    assert less.usage["hour"].used(LIMIT, NOW) == 900  # the greater one can still be mined
    assert not pay(101, 1, less.usage).allowed
    assert pay(100, 1, less.usage).allowed
    # Dated later: the replacement holds its budget for a whole window from now on.
    moved = pay(600, 0, first.usage, first.reservations, later=3_000)
    assert moved.usage["hour"].used(LIMIT, UnixSeconds(NOW + 3_700)) == 600


def test_limits_per_transaction_and_counts() -> None:
    document = interfaces()
    document["rules"] = [
        {
            "id": "pay",
            "action": "ALLOW",
            "method": "eth_signTransaction",
            "to": {"eq": STRANGER.hex0x},
            "value": {"gte": "0"},
            "spend": {"each": "$value"},
        }
    ]
    document["limits"] = [
        {"id": "each", "max": "5", "per": "tx"},
        {"id": "rate", "meter": "count", "max": "2", "window": "1h", "kind": "rolling"},
        {"id": "all", "meter": "value", "max": "8", "window": "1h", "kind": "rolling"},
    ]
    policy = parsed(document)
    usage: dict[str, Usage] = {}

    def pay(amount: int, nonce: int) -> str | None:
        decision = judge(tx(STRANGER, value=Wei(amount), nonce=Nonce(nonce)), policy, usage)
        usage.update(decision.usage)
        return decision.refusal.limit if decision.refusal else None

    assert pay(6, 0) == "each"
    assert pay(5, 0) is None
    assert pay(4, 1) == "all"
    assert pay(3, 1) is None
    assert pay(0, 2) == "rate"


@given(
    st.lists(st.tuples(st.integers(0, 2**63), st.integers(1, 2**300)), max_size=5),
    st.text(alphabet="abc-", min_size=1, max_size=8),
)
def test_usage_and_reservations_come_back(buckets: list[tuple[int, int]], name: str) -> None:
    pairs = tuple((UnixSeconds(at), amount) for at, amount in buckets)
    usage = Usage(pairs, Seconds(len(buckets)), UnixSeconds(7))
    assert Usage.decode(rlp.decode(rlp.encode(usage.encode()))) == usage
    held = Reservation(name, 5, UnixSeconds(9))
    assert Reservation.decode(held.encode()) == held
