"""What seats say towards the next epoch is heard once, in its stage, and in its form."""

import pytest

from keymoot.moot.body import write_numbered
from keymoot.moot.epoch import Stage
from keymoot.moot.keygen import write_verdict
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.turn import write_turn
from tests.moot.town import Town

KIND_OF = {
    Stage.DEALING: Kind.RESHARE,
    Stage.VERDICTS: Kind.RESHARE_VERDICT,
    Stage.HOLDING: Kind.HELD,
}


def due(stage: Stage) -> tuple[Town, list[NodeMessage]]:
    """Lead a town to a stage; give what its seats have to say in it, and have not said."""
    town = Town()
    town.settle()
    wish = write_numbered(town.ledger.turning.epoch.number)
    town.say(*(town.message(seat, Kind.TURN, wish) for seat in (1, 2, 3)))
    while town.ledger.turning.epoch.stage is not stage:
        town.say(*town.duties())
    return town, [one for one in town.duties() if one.kind is KIND_OF[stage]]


@pytest.mark.parametrize("stage", KIND_OF)
def test_a_seat_speaks_once_in_a_stage(stage: Stage) -> None:
    town, (first, second, *_) = due(stage)
    town.say(first)
    before = dict(town.pages._pages)
    assert town.refusal(first) == "Unwanted"
    assert town.refusal(town.message(first.seat, first.kind, second.body)) == "Unwanted"
    assert town.pages._pages == before


@pytest.mark.parametrize("stage", KIND_OF)
def test_words_of_another_stage_are_refused(stage: Stage) -> None:
    town, _ = due(stage)
    epoch, before = town.ledger.turning.epoch, dict(town.pages._pages)
    for kind in set(KIND_OF.values()) - {KIND_OF[stage]}:
        content = bytes(32) if kind is Kind.HELD else write_verdict([])
        body = write_turn(epoch.number + 1, epoch.attempt, content)
        assert town.refusal(town.message(1, kind, body)) == "Unwanted"
    assert town.pages._pages == before


@pytest.mark.parametrize("size", [0, 31, 33, 4096])
def test_a_vote_for_new_roots_is_their_digest_and_no_other_bytes(size: int) -> None:
    town, _ = due(Stage.HOLDING)
    epoch = town.ledger.turning.epoch
    body = write_turn(epoch.number + 1, epoch.attempt, bytes(size))
    assert town.refusal(town.message(1, Kind.HELD, body)) == "Malformed"
    assert town.ledger.turning.epoch == epoch
