"""What a change of an app's policy is shown as, and that nothing is loosened unseen."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.claims import Claims, Tcb
from keymoot.attest.evidence import EvidenceRefused, ReportData
from keymoot.attest.quorum import MAKERS
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.cli.app_policy import changes, policy_in_words, shown_policy
from keymoot.cli.deploy import _line
from keymoot.cli.output import fields as fields_of
from keymoot.contracts.builtin.apps.policy import AppPolicy

CODE = Measurement(b"m" * 48)
STATUSES, ADVISORIES, PARTS = ("SWHardeningNeeded", "UpToDate"), ("SA-1", "SA-2"), ("snp", "tee")
CHIPS, NODES = (b"chip 1", b"chip 2"), (Bytes32(b"1" * 32), Bytes32(b"2" * 32))


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.sets(st.sampled_from(values)).map(lambda chosen: tuple(sorted(chosen)))


POLICIES = st.builds(
    AppPolicy,
    measurements=st.just((CODE,)),
    vendors=some(tuple(MAKERS)).filter(bool),
    lifetime_seconds=st.sampled_from((60, 600, 7_200)).map(Seconds),
    raw_keys=st.booleans(),
    tcb_statuses=some(STATUSES),
    advisories=some(ADVISORIES),
    tcb_parts=st.dictionaries(st.sampled_from(PARTS), st.integers(0, 2)),
    chips=some(CHIPS),
    endorsers=some(NODES),
    most_per_maker=st.integers(0, 3),
)
CLAIMS = st.builds(
    lambda vendor, status, advisories, parts, chip: Claims.verified(
        vendor=vendor,
        measurement=CODE,
        report_data=ReportData(bytes(64)),
        tcb=Tcb(status=status, advisories=advisories, parts=parts),
        chip=chip,
        valid_until=UnixSeconds(0),
    ),
    st.sampled_from(tuple(MAKERS)),
    st.sampled_from(STATUSES),
    some(ADVISORIES),
    st.dictionaries(st.sampled_from(PARTS), st.integers(0, 2)),
    st.sampled_from((None, *CHIPS)),
)


def admits(policy: AppPolicy, claims: Claims, endorser: Bytes32 | None, others: int) -> bool:
    """Decide as the contract does, for one who may have an endorsement and others beside it."""
    try:
        policy.machines.of(claims.vendor).check(claims)
    except EvidenceRefused:
        return False
    endorsed = not policy.endorsers or endorser in policy.endorsers
    mixed = not policy.most_per_maker or others < policy.most_per_maker
    return claims.vendor in policy.vendors and endorsed and mixed


@given(POLICIES, POLICIES, CLAIMS, st.sampled_from((None, *NODES)), st.integers(0, 3), st.data())
def test_whatever_lets_in_or_gives_more_is_called_looser(
    now: AppPolicy,
    then: AppPolicy,
    claims: Claims,
    endorser: Bytes32 | None,
    others: int,
    data: st.DataObject,
) -> None:
    kept = data.draw(st.sets(st.sampled_from([field.name for field in fields(AppPolicy)])))
    then = replace(then, **{name: getattr(now, name) for name in kept})
    made = changes(now, then)
    looser = {change.what for change in made if change.looser}
    more = admits(then, claims, endorser, others) and not admits(now, claims, endorser, others)
    assert not more or looser
    assert not (then.raw_keys and not now.raw_keys) or "raw keys" in looser
    assert not then.lifetime_seconds > now.lifetime_seconds or "lifetime" in looser
    # And what is the same is no change; what differs is one.
    assert bool(made) == (then != now)
    assert not changes(now, now)


@pytest.mark.parametrize(
    ("now", "then", "line"),
    [
        ({"raw_keys": False}, {}, "raw keys: refused → given, looser"),
        ({}, {"raw_keys": False}, "raw keys: given → refused"),
        ({}, {"lifetime_seconds": Seconds(60)}, "lifetime: 7200 s → 60 s"),
        ({"vendors": ("tdx",)}, {"vendors": ("sgx", "tdx")}, "vendors: tdx → sgx, tdx, looser"),
        ({"chips": (b"\1",)}, {}, "chips: 01 → any, looser"),
        ({}, {"chips": (b"\1",)}, "chips: any → 01"),
        ({"endorsers": NODES[:1]}, {}, f"endorsers: {NODES[0].hex0x} → nobody has to, looser"),
        ({"most_per_maker": 2}, {}, "most per maker: 2 → no limit, looser"),
        ({}, {"most_per_maker": 2}, "most per maker: no limit → 2"),
        ({"tcb_parts": {"snp": 8}}, {"tcb_parts": {"snp": 7}}, "TCB parts: snp=8 → snp=7, looser"),
        ({}, {"advisories": ("A",)}, "advisories: none → A, looser"),
        ({"tcb_statuses": ()}, {}, "TCB statuses: none → UpToDate, looser"),
    ],
)
def test_a_change_is_told_in_words(now: dict[str, Any], then: dict[str, Any], line: str) -> None:
    base = AppPolicy(measurements=(CODE,))
    (change,) = changes(replace(base, **now), replace(base, **then))
    assert str(change) == line


def test_where_nobody_was_let_in_nothing_is_looser() -> None:
    first = AppPolicy(measurements=(CODE,), vendors=("tdx",), lifetime_seconds=Seconds(86_400))
    assert not any(change.looser for change in changes(AppPolicy(), first))


def test_what_is_shown_leaves_nothing_out() -> None:
    assert len(shown_policy(AppPolicy())) == len(fields(AppPolicy))


@pytest.mark.parametrize("field", ["tcb_statuses", "advisories", "tcb_parts"])
def test_words_of_an_admin_add_no_line_to_what_is_shown(field: str) -> None:
    """Any app's policy is shown to anyone, and its admin chose these words."""
    word = "UpToDate\nadmin  \x1b[1mnobody"
    value: Any = {word: 1} if field == "tcb_parts" else (word,)
    policy = replace(AppPolicy(measurements=(CODE,)), **{field: value})
    told = " ".join(fields_of({name: _line(value) for name, value in shown_policy(policy).items()}))
    (change,) = changes(AppPolicy(measurements=(CODE,)), policy)
    for text in (told, str(change)):
        assert "\n" not in text
        assert "\x1b" not in text
        assert "UpToDate\\u{a}admin" in text


def test_people_read_what_an_empty_list_means() -> None:
    words = policy_in_words(AppPolicy())
    assert set(words) == set(shown_policy(AppPolicy()))
    assert (words["chips"], words["endorsers"]) == ("any", "nobody has to")
    assert (words["mostPerMaker"], words["rawKeys"]) == ("no limit", "given")
    assert (words["measurements"], words["lifetimeSeconds"]) == ("none", "7200 s")
    assert policy_in_words(AppPolicy(measurements=(CODE,)))["measurements"] == CODE.hex0x
