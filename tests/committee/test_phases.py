"""One machine of quorum and patience for all that waits for seats."""

import pytest

from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.phases import (
    BATCH_LIFETIME,
    BATCH_PATIENCE,
    EPOCH_PATIENCE,
    KEYGEN_PATIENCE,
    Move,
    Since,
    move,
)

SINCE = Since(Height(100), UnixSeconds(1_000))


@pytest.mark.parametrize(
    ("patience", "blocks", "seconds"),
    [
        (KEYGEN_PATIENCE, 4, 20),
        (EPOCH_PATIENCE, 4, 10),
        (BATCH_PATIENCE, 4, 10),
        (BATCH_LIFETIME, 8, 30),
    ],
)
def test_it_takes_blocks_and_seconds(patience, blocks, seconds):
    last, late = Height(100 + blocks), UnixSeconds(1_000 + seconds)
    assert SINCE.overdue(patience, last, late)
    assert not SINCE.overdue(patience, Height(last - 1), late)
    assert not SINCE.overdue(patience, last, UnixSeconds(late - 1))
    assert not SINCE.overdue(patience, Height(last + 1_000), UnixSeconds(late - 1))
    assert not SINCE.overdue(patience, Height(last - 1), UnixSeconds(late + 1_000))


def test_it_is_stale_by_time_alone():
    assert SINCE.stale(EPOCH_PATIENCE, UnixSeconds(1_010))
    assert not SINCE.stale(EPOCH_PATIENCE, UnixSeconds(1_009))


@pytest.mark.parametrize(
    ("awaited", "overdue", "enough", "expected"),
    [
        (True, False, False, Move.WAIT),
        (True, False, True, Move.WAIT),
        (True, True, True, Move.GO_ON),
        (True, True, False, Move.GIVE_UP),
        (False, False, True, Move.GO_ON),
        (False, True, True, Move.GO_ON),
        (False, False, False, Move.GIVE_UP),
        (False, True, False, Move.GIVE_UP),
    ],
)
def test_silence_is_waited_for_and_then_enough_decide(awaited, overdue, enough, expected):
    asked = []
    found = move(awaited=awaited, overdue=overdue, enough=lambda: asked.append(1) or enough)
    assert found is expected
    assert bool(asked) is (expected is not Move.WAIT)


@pytest.mark.parametrize("overdue", [False, True])
@pytest.mark.parametrize("awaited", [False, True])
def test_enough_may_end_a_phase_early(awaited, overdue):
    found = move(awaited=awaited, overdue=overdue, enough=lambda: False, early=lambda: True)
    assert found is Move.GO_ON
    waits = awaited and not overdue
    for enough, end in ((False, Move.GIVE_UP), (True, Move.GO_ON)):
        found = move(awaited=awaited, overdue=overdue, enough=lambda: enough, early=lambda: False)  # noqa: B023
        assert found is (Move.WAIT if waits else end)
