"""What replicas tell of one block: the first word of each seat counts, and its own bytes alone."""

from keymoot.base.fixed import Hash32
from keymoot.engine.claims import OutcomeClaims
from keymoot.runtime.outcome import outcome_digest

RAW, OTHER = b"what it did", b"something else"
SAID, NOT_SAID = outcome_digest(RAW), outcome_digest(OTHER)


def test_a_seat_does_not_change_its_word() -> None:
    claims = OutcomeClaims()
    claims.add_digest(1, SAID)
    claims.add_digest(1, NOT_SAID)
    claims.add(1, OTHER)
    assert claims.digests == {1: SAID}
    # Nor does what it gives now stand for what it said.
    assert claims.content(NOT_SAID) is None
    assert claims.content(SAID) is None


def test_enough_seats_are_believed_and_one_gives_the_bytes() -> None:
    claims = OutcomeClaims()
    claims.add(1, OTHER)
    claims.add_digest(2, SAID)
    assert claims.believed((1, 2, 3), 2) is None
    claims.add(3, RAW)
    assert claims.believed((1, 2, 3), 2) == SAID
    # Others' words count for nothing.
    assert claims.believed((1, 2), 2) is None
    assert claims.content(Hash32(SAID)) == RAW
    assert (claims.sayers(SAID), claims.others(SAID)) == ([2, 3], [1])
