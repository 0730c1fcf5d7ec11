"""What seats say towards the next epoch is heard once, in its stage, and in its form."""

import pytest

from keymoot.moot.body import write_numbered
from keymoot.moot.epoch import Stage
from keymoot.moot.keygen import write_verdict
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.turn import read_turn, write_turn
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.secp256k1 import SECP256K1
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


def test_who_comes_deals_nothing_and_who_leaves_neither_judges_nor_holds() -> None:
    town = Town(5)
    town.settle()
    town.arrive(6)
    town.admit(6)
    town.part(2)
    town.settle()
    town.turn()
    for stage, seat, why in (
        (Stage.DEALING, 6, "NotSeated"),
        (Stage.VERDICTS, 2, "Unwanted"),
        (Stage.HOLDING, 2, "Unwanted"),
    ):
        while town.ledger.turning.epoch.stage is not stage:
            town.say(*town.duties())
        epoch = town.ledger.turning.epoch
        content = bytes(32) if stage is Stage.HOLDING else write_verdict([])
        body = write_turn(epoch.number + 1, epoch.attempt, content)
        assert town.refusal(town.message(seat, KIND_OF[stage], body)) == why
        assert town.ledger.turning.epoch == epoch
    town.settle()
    assert town.ledger.hall.head.members == (1, 3, 4, 5, 6)
    assert not town.ledger.hall.head.cheats


def test_after_the_switch_only_those_count_who_hold_the_shares_that_live() -> None:
    town, held = due(Stage.HOLDING)
    town.say(*(one for one in held if one.seat != 1))
    turning = town.ledger.turning
    assert (turning.epoch.number, turning.before.page.holders) == (1, {2, 3, 4})
    attempt, digest = turning.origin.attempt, town.pages.get("roots/voted")
    said = write_turn(1, attempt, digest)
    for seat, body in (
        (1, write_turn(1, attempt, bytes(32))),
        (1, write_turn(1, attempt + 1, digest)),
        (1, write_turn(2, attempt, digest)),
        (2, said),
    ):
        assert town.refusal(town.message(seat, Kind.HELD, body)) == "Unwanted"
    assert turning.before.page.holders == {2, 3, 4}
    assert town.refusal(town.message(1, Kind.HELD, said)) == ""
    # All hold them: nothing is kept of the epoch before, and nothing more is to be said.
    assert turning.before.page is None
    assert town.refusal(town.message(1, Kind.HELD, said)) == "Unwanted"


def test_the_key_of_the_next_epoch_is_a_fresh_one_and_fixed_once_dealing_begins() -> None:
    """With one that it had before, whoever takes the machine later opens old dealings."""
    town = Town()
    town.settle()
    known = town.ledger.hall.seat(1)
    assert known.next
    for key in (known.next, known.sealing):
        assert town.refusal(town.message(1, Kind.EPOCH_KEY, write_numbered(1, key))) == "Unwanted"
    fresh, other = (SECP256K1.encode(SECP256K1.base(town.scalar())) for _ in range(2))
    assert town.refusal(town.message(1, Kind.EPOCH_KEY, write_numbered(2, fresh))) == "Unwanted"
    assert town.ledger.hall.seat(1) == known
    assert town.refusal(town.message(1, Kind.EPOCH_KEY, write_numbered(1, fresh))) == ""
    assert town.ledger.hall.seat(1).next == fresh
    wish = write_numbered(0)
    town.say(*(town.message(seat, Kind.TURN, wish) for seat in (1, 2, 3)))
    assert town.ledger.turning.epoch.stage is Stage.DEALING
    assert town.refusal(town.message(1, Kind.EPOCH_KEY, write_numbered(1, other))) == "Unwanted"
    assert town.ledger.hall.seat(1).next == fresh


def test_a_complaint_over_who_dealt_nothing_names_the_accuser() -> None:
    town = Town()
    town.settle()

    def spoil(seat: int, kind: Kind, body: bytes) -> bytes | None:
        if (seat, kind) == (4, Kind.RESHARE):
            return None
        if (seat, kind) == (1, Kind.RESHARE_VERDICT):
            number, attempt, _ = read_turn(body)
            false = Complaint(1, 4, bytes(33), bytes(64))
            return write_turn(number, attempt, write_verdict([(0, false)]))
        return body

    town.spoil = spoil
    town.turn()
    for _ in range(3):
        town.pass_time(12)
    assert {one.seat for one in town.ledger.hall.head.cheats} == {1}


@pytest.mark.parametrize("stage", KIND_OF)
def test_words_of_another_attempt_or_epoch_are_refused(stage: Stage) -> None:
    town, (first, *_) = due(stage)
    epoch, (number, attempt, content) = town.ledger.turning.epoch, read_turn(first.body)
    for other in ((number + 1, attempt), (number, attempt + 1), (number - 1, attempt)):
        said = town.message(first.seat, first.kind, write_turn(*other, content))
        assert town.refusal(said) == "Unwanted"
    assert town.ledger.turning.epoch == epoch
    assert town.refusal(first) == ""
