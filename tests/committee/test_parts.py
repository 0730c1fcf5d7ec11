"""What a seat's parts forget, and when they have nothing to say."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.statekey.member import StateKeyParticipant
from keymoot.store.keys import FIRST_NAME
from keymoot.threshold.rng import SeededRng
from tests.committee.asking import (
    before_asks,
    one_time_key,
    secret_by_algebra,
    secrets,
    standing,
    step,
    turn,
    until,
)
from tests.committee.network import NETWORK, CommitteeNetwork


def parts(net, seat=1):
    participant = net.participants[seat]
    return participant.dkg, participant.reshare, participant.state_key


def test_before_a_founding_no_part_has_anything_to_do():
    dkg, reshare, state_key = parts(CommitteeNetwork.at_rest())
    nothing = CommitteeMachine(MemoryPages(), NETWORK)
    assert (dkg.due(nothing), dkg.recovery(nothing), dkg.shares_in(nothing)) == ([], [], {})
    assert (reshare.due(nothing, {}), reshare.recovery(nothing)) == ([], [])
    assert reshare.shares_in(nothing) == {}
    assert state_key.due(nothing, {}) == []


def test_at_rest_no_part_says_anything_again():
    net = CommitteeNetwork.at_rest()
    for seat, participant in net.participants.items():
        dkg, reshare, state_key = parts(net, seat)
        assert dkg.due(net.ledger) == []
        assert dkg.recovery(net.ledger) == reshare.recovery(net.ledger) == []
        assert state_key.due(net.ledger, participant.shares) == []


def test_shares_of_an_epoch_are_forgotten_once_nothing_goes_back_to_it():
    net = CommitteeNetwork.at_rest()
    for number in (1, 2, 3):
        turn(net, (1, 2, 3))
        for seat in net.participants:
            dkg, reshare, _ = parts(net, seat)
            # The living ones, and none of an epoch to which no recovery goes back.
            assert dkg._made == {}, number
            assert [made[0] for made in reshare._held] == [number]
            assert net.participants[seat].shares


def test_those_of_the_key_generation_stay_while_a_recovery_may_go_back_to_it():
    net = CommitteeNetwork.at_rest()
    net.silent = {4}
    net.send(*(net.message(seat, Kind.END_EPOCH, NumberedBody(0).encode()) for seat in (1, 2, 3)))
    for _ in range(8):
        net.pass_time(40)
    assert net.ledger.epochs.current.number == 1
    assert net.ledger.epochs.previous.page is not None
    for seat in (1, 2, 3):
        dkg, reshare, _ = parts(net, seat)
        assert dkg._made
        assert len(reshare._held) == 1


def test_who_has_no_seat_asks_for_nothing():
    net = before_asks()
    assert StateKeyParticipant(9, Secret(bytes(32))).due(net.ledger, {}) == []


def test_what_is_forgotten_is_all_of_it():
    own = one_time_key()
    part = StateKeyParticipant(1, Secret(bytes(32)), frozenset({FIRST_NAME}))
    part.opened[FIRST_NAME], part._own[FIRST_NAME] = Secret(b"s" * 32), own
    part.sealed(FIRST_NAME)
    assert (part.opened, part._own, part.holds(FIRST_NAME)) == ({}, {}, True)
    part.opened[FIRST_NAME], part._own[FIRST_NAME] = Secret(b"s" * 32), own
    part.forget()
    assert (part.opened, part._own, part.held) == ({}, {}, frozenset())
    assert not part.holds(Bytes32(bytes(32)))


def test_answers_to_another_ask_than_the_newest_open_nothing():
    net = before_asks()
    step(net)
    due = until(net, Kind.STATE_ANSWER)
    other = one_time_key()
    net.participants[2].state_key._own[FIRST_NAME] = other
    net.send(*due)
    net.settle()
    assert 2 not in net.keeps
    assert net.participants[2].state_key._own[FIRST_NAME] == other
    assert not net.ledger.state.record.cheats
    # The others have it, and in the next epoch seat 2 asks anew.
    assert set(secrets(net).values()) == {secret_by_algebra(net)}
    assert not standing(net).exists
    turn(net, (1, 3, 4))
    assert secrets(net)[2] == secret_by_algebra(net)
    assert standing(net).exists


@pytest.mark.parametrize("seat", [1, 4])
def test_one_time_secrets_are_gone_once_they_have_served(seat):
    net = CommitteeNetwork.at_rest()
    _, _, state_key = parts(net, seat)
    assert (state_key._own, state_key.opened) == ({}, {})
    assert state_key.holds(FIRST_NAME)


def test_a_seat_whose_key_is_erased_computes_no_shares_of_an_epoch():
    net = CommitteeNetwork.at_rest()
    turn(net, (1, 2, 3))
    _, reshare, _ = parts(net, 3)
    reshare._held.clear()
    (task,) = reshare.recovery(net.ledger)
    net.participants[3].keys.take(net.scalar(), net.scalar(), None, 0)
    assert task.run(SeededRng(net.secret())) == []
    assert reshare._held == {}


def test_nor_does_it_judge_or_hold_in_an_epochs_end():
    net = CommitteeNetwork.at_rest()

    def erase(seat, kind, body):
        if seat == 3 and kind is Kind.RESHARE:
            net.participants[3].keys.take(net.scalar(), net.scalar(), None, 0)
        return body

    net.spoil = erase
    net.send(*(net.message(seat, Kind.END_EPOCH, NumberedBody(0).encode()) for seat in (1, 2, 3)))
    for _ in range(8):
        net.pass_time(40)
    assert net.ledger.epochs.current.number == 1
    said = {one.kind for one in net.log if one.seat == 3}
    assert Kind.RESHARE in said
    assert not said & {Kind.RESHARE_VERDICT, Kind.HELD}
    assert parts(net, 3)[1]._held == {}
    assert not net.ledger.state.record.cheats


def test_shares_that_an_attempt_made_stay_while_it_may_come_to_live():
    net = CommitteeNetwork.at_rest()
    _, reshare, _ = parts(net)
    epoch, generation = net.ledger.epochs.current, net.ledger.state.record.generation
    other = type(generation)(b"\x09" * 32)
    present, later = (1, epoch.attempt, generation), (1, epoch.attempt + 1, generation)
    for made in (present, later, (1, epoch.attempt + 1, other), (0, epoch.attempt, generation)):
        reshare._held[made] = {}
    reshare.prune(net.ledger)
    assert set(reshare._held) == {present, later}


def test_so_do_those_of_an_attempt_that_outlives_its_generation():
    net = CommitteeNetwork.at_rest()
    _, reshare, _ = parts(net)
    epochs, state = net.ledger.epochs, net.ledger.state
    dealt = type(state.record.generation)(b"\x09" * 32)
    current = replace(epochs.current, generation=dealt)
    kept = SimpleNamespace(current=current, origin=None, previous=epochs.previous)
    outlives, failed = (1, current.attempt, dealt), (1, current.attempt + 1, dealt)
    reshare._held[outlives] = reshare._held[failed] = {}
    reshare.prune(SimpleNamespace(epochs=kept, state=state))
    assert set(reshare._held) == {outlives}
