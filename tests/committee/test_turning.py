"""What seats say towards the next epoch is heard once, in its stage, and in its form."""

import pytest

from keymoot.committee.keygen.record import RootComplaint, RootVerdict
from keymoot.committee.messages import (
    AttemptBody,
    Kind,
    NodeMessage,
    NumberedBody,
)
from keymoot.committee.reshare.record import EpochStage
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.secp256k1 import SECP256K1
from tests.committee.bodies import fields_of
from tests.committee.network import CommitteeNetwork

KIND_OF = {
    EpochStage.DEALING: Kind.RESHARE,
    EpochStage.VERDICTS: Kind.RESHARE_VERDICT,
    EpochStage.HOLDING: Kind.HELD,
}


def due(stage: EpochStage) -> tuple[CommitteeNetwork, list[NodeMessage]]:
    """Lead a network to a stage; give what its seats have to say in it, and have not said."""
    net = CommitteeNetwork.at_rest()
    wish = NumberedBody(net.ledger.epochs.current.number).encode()
    net.send(*(net.message(seat, Kind.END_EPOCH, wish) for seat in (1, 2, 3)))
    while net.ledger.epochs.current.stage is not stage:
        net.send(*net.tasks())
    return net, [one for one in net.tasks() if one.kind is KIND_OF[stage]]


@pytest.mark.parametrize("stage", KIND_OF)
def test_a_seat_speaks_once_in_a_stage(stage: EpochStage) -> None:
    net, (first, second, *_) = due(stage)
    net.send(first)
    before = dict(net.pages._pages)
    assert net.refusal(first) == "Unwanted"
    assert net.refusal(net.message(first.seat, first.kind, second.body)) == "Unwanted"
    assert net.pages._pages == before


@pytest.mark.parametrize("stage", KIND_OF)
def test_words_of_another_stage_are_refused(stage: EpochStage) -> None:
    net, _ = due(stage)
    epoch, before = net.ledger.epochs.current, dict(net.pages._pages)
    for kind in set(KIND_OF.values()) - {KIND_OF[stage]}:
        content = bytes(32) if kind is Kind.HELD else RootVerdict().encode()
        body = AttemptBody(epoch.number + 1, epoch.attempt, content).encode()
        assert net.refusal(net.message(1, kind, body)) == "Unwanted"
    assert net.pages._pages == before


@pytest.mark.parametrize("size", [0, 31, 33, 4096])
def test_a_vote_for_new_roots_is_their_digest_and_no_other_bytes(size: int) -> None:
    net, _ = due(EpochStage.HOLDING)
    epoch = net.ledger.epochs.current
    body = AttemptBody(epoch.number + 1, epoch.attempt, bytes(size)).encode()
    assert net.refusal(net.message(1, Kind.HELD, body)) == "Malformed"
    assert net.ledger.epochs.current == epoch


def test_who_comes_deals_nothing_and_who_leaves_neither_judges_nor_holds() -> None:
    net = CommitteeNetwork.at_rest(5)
    net.arrive(6)
    net.admit(6)
    net.part(2)
    net.settle()
    net.turn()
    for stage, seat, why in (
        (EpochStage.DEALING, 6, "NotSeated"),
        (EpochStage.VERDICTS, 2, "Unwanted"),
        (EpochStage.HOLDING, 2, "Unwanted"),
    ):
        while net.ledger.epochs.current.stage is not stage:
            net.send(*net.tasks())
        epoch = net.ledger.epochs.current
        content = bytes(32) if stage is EpochStage.HOLDING else RootVerdict().encode()
        body = AttemptBody(epoch.number + 1, epoch.attempt, content).encode()
        assert net.refusal(net.message(seat, KIND_OF[stage], body)) == why
        assert net.ledger.epochs.current == epoch
    net.settle()
    assert net.ledger.state.record.members == (1, 3, 4, 5, 6)
    assert not net.ledger.state.record.cheats


def test_after_the_switch_only_those_count_who_hold_the_shares_that_live() -> None:
    net, held = due(EpochStage.HOLDING)
    net.send(*(one for one in held if one.seat != 1))
    epochs = net.ledger.epochs
    assert (epochs.current.number, epochs.previous.page.holders) == (1, {2, 3, 4})
    attempt, digest = epochs.origin.attempt, net.pages.get("roots/voted")
    said = AttemptBody(1, attempt, digest).encode()
    for seat, body in (
        (1, AttemptBody(1, attempt, bytes(32)).encode()),
        (1, AttemptBody(1, attempt + 1, digest).encode()),
        (1, AttemptBody(2, attempt, digest).encode()),
        (2, said),
    ):
        assert net.refusal(net.message(seat, Kind.HELD, body)) == "Unwanted"
    assert epochs.previous.page.holders == {2, 3, 4}
    assert net.refusal(net.message(1, Kind.HELD, said)) == ""
    # All hold them: nothing is kept of the epoch before, and nothing more is to be said.
    assert epochs.previous.page is None
    assert net.refusal(net.message(1, Kind.HELD, said)) == "Unwanted"


def test_the_key_of_the_next_epoch_is_a_fresh_one_and_fixed_once_dealing_begins() -> None:
    """With one that it had before, whoever takes the machine later opens old dealings."""
    net = CommitteeNetwork.at_rest()
    known = net.ledger.state.seat(1)
    assert known.next
    for key in (known.next, known.sealing):
        assert (
            net.refusal(net.message(1, Kind.EPOCH_KEY, NumberedBody(1, key).encode())) == "Unwanted"
        )
    fresh, other = (SECP256K1.encode(SECP256K1.base(net.scalar())) for _ in range(2))
    assert (
        net.refusal(net.message(1, Kind.EPOCH_KEY, NumberedBody(2, fresh).encode())) == "Unwanted"
    )
    assert net.ledger.state.seat(1) == known
    assert net.refusal(net.message(1, Kind.EPOCH_KEY, NumberedBody(1, fresh).encode())) == ""
    assert net.ledger.state.seat(1).next == fresh
    wish = NumberedBody(0).encode()
    net.send(*(net.message(seat, Kind.END_EPOCH, wish) for seat in (1, 2, 3)))
    assert net.ledger.epochs.current.stage is EpochStage.DEALING
    assert (
        net.refusal(net.message(1, Kind.EPOCH_KEY, NumberedBody(1, other).encode())) == "Unwanted"
    )
    assert net.ledger.state.seat(1).next == fresh


def test_a_complaint_over_who_dealt_nothing_names_the_accuser() -> None:
    net = CommitteeNetwork.at_rest()

    def spoil(seat: int, kind: Kind, body: bytes) -> bytes | None:
        if (seat, kind) == (4, Kind.RESHARE):
            return None
        if (seat, kind) == (1, Kind.RESHARE_VERDICT):
            number, attempt, _ = fields_of(AttemptBody.decode(body))
            false = Complaint(1, 4, bytes(33), bytes(64))
            return AttemptBody(
                number, attempt, RootVerdict((RootComplaint(0, false),)).encode()
            ).encode()
        return body

    net.spoil = spoil
    net.turn()
    for _ in range(3):
        net.pass_time(12)
    assert {one.seat for one in net.ledger.state.record.cheats} == {1}


@pytest.mark.parametrize("stage", KIND_OF)
def test_words_of_another_attempt_or_epoch_are_refused(stage: EpochStage) -> None:
    net, (first, *_) = due(stage)
    epoch, (number, attempt, content) = (
        net.ledger.epochs.current,
        fields_of(AttemptBody.decode(first.body)),
    )
    for other in ((number + 1, attempt), (number, attempt + 1), (number - 1, attempt)):
        said = net.message(first.seat, first.kind, AttemptBody(*other, content).encode())
        assert net.refusal(said) == "Unwanted"
    assert net.ledger.epochs.current == epoch
    assert net.refusal(first) == ""
