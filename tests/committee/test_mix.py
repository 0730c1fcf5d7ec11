"""Whoever comes and goes, no maker of enclaves ever holds a key; and others are not held up."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.quorum import MAKERS, seats_by_maker
from keymoot.committee.membership.record import MembershipRecord
from keymoot.committee.mix import fits, mixed, most_of
from keymoot.threshold.committee import MAX_SIZE, MIN_SIZE, Committee

ABC = ("tdx", "snp", "nitro")


def of(*vendors: str, first: int = 1) -> dict[int, str]:
    return dict(enumerate(vendors, first))


def after(
    members: Mapping[int, str],
    joining: Mapping[int, str],
    leaving: tuple[int, ...],
    demanded: int = 64,
) -> tuple[int, ...]:
    seats = {*members, *joining}
    for leaver in leaving:
        if len(seats) > MIN_SIZE:
            seats.discard(leaver)
    return mixed(members, joining, leaving, sorted(seats), demanded)


FOUR = of("tdx", "snp", "nitro", "simulated")
SIX = of(*ABC, *ABC)


def test_what_is_allowed_is_never_more_than_the_degree() -> None:
    assert [most_of(64, size) for size in (4, 5, 6, 9, 12, 64)] == [1, 1, 2, 3, 4, 21]
    assert most_of(1, 64) == 1
    assert fits(FOUR, 64)
    assert fits(SIX, 2)
    assert not fits(SIX, 1)
    assert not fits(of("tdx", "sgx", "snp", "nitro"), 64)


def test_a_newcomer_that_breaks_the_mix_stays_out() -> None:
    assert after(FOUR, {5: "sgx"}, ()) == (1, 2, 3, 4)


def test_a_seat_goes_over_to_another_of_its_maker() -> None:
    assert after(FOUR, {5: "sgx"}, (1,)) == (2, 3, 4, 5)


def test_nobody_leaves_if_those_who_stay_would_hold_a_key() -> None:
    """Of six seats a maker may hold two, of five one."""
    assert after(SIX, {}, (1,)) == (1, 2, 3, 4, 5, 6)
    assert after(SIX, {7: "tdx"}, (1,)) == (2, 3, 4, 5, 6, 7)


def test_who_fits_only_together_comes_and_goes_together() -> None:
    nine = after(SIX, of(*ABC, first=7), ())
    assert nine == tuple(range(1, 10))
    assert after(of(*ABC, *ABC, *ABC), {}, (1, 2, 3)) == (4, 5, 6, 7, 8, 9)


def test_one_that_breaks_it_does_not_keep_the_others_out() -> None:
    assert after(SIX, of(*ABC, "snp", first=7), ()) == tuple(range(1, 10))
    # nor one who wants to leave, though he was the first to say so
    assert after(SIX, {7: "tdx"}, (2, 1)) == (2, 3, 4, 5, 6, 7)


def test_forged_evidence_of_one_maker_certifies_no_second_block() -> None:
    """Its seats may be one more than f: two of six, three of nine, four of twelve."""
    for size in range(MIN_SIZE, MAX_SIZE + 1):
        committee = Committee.of(size)
        shares = committee.degree + 1
        in_both = 2 * shares - size
        assert most_of(MAX_SIZE, size) < in_both
        # and those who are always there are enough
        assert shares <= committee.present


VENDORS = st.sampled_from([*MAKERS, "another"])


@st.composite
def histories(
    draw: st.DrawFn,
) -> tuple[dict[int, str], list[tuple[dict[int, str], list[int]]], int]:
    demanded = draw(st.integers(1, 6))
    members = draw(st.sampled_from([FOUR, SIX, of(*ABC, *ABC, *ABC), of(*MAKERS, "another")]))
    epochs = st.tuples(
        st.dictionaries(st.integers(1, 20), VENDORS, max_size=6),
        st.lists(st.integers(1, 20), unique=True, max_size=6),
    )
    return members, draw(st.lists(epochs, min_size=1, max_size=6)), demanded


@given(histories())
def test_no_sequence_of_joins_and_leaves_ends_with_too_much_at_one_maker(history) -> None:
    members, epochs, demanded = history
    if not fits(members, demanded):
        demanded = 64
    if not fits(members, demanded):
        return
    for coming, going in epochs:
        joining = {seat: vendor for seat, vendor in coming.items() if seat not in members}
        leaving = tuple(seat for seat in going if seat in members)
        wish = MembershipRecord(leaving=leaving, joining=dict.fromkeys(joining)).next_seats(
            tuple(members)
        )
        following = mixed(members, joining, leaving, wish, demanded)
        everyone = {**members, **joining}
        # only who was there or wanted to come sits, and who wants to stay stays
        assert {*members} - {*leaving} <= {*following} <= {*everyone}
        assert following == tuple(sorted(following))
        members = {seat: everyone[seat] for seat in following}
        most = max(len(held) for held in seats_by_maker(members).values())
        assert most <= min(demanded, Committee(following).ecdsa_degree)
        if fits({seat: everyone[seat] for seat in wish}, demanded):
            assert following == wish
