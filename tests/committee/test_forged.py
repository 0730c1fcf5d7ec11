"""One maker's evidence is forged, and whoever forges it says what he likes, when he likes."""

import random
from collections.abc import Callable

import pytest

from keymoot.attest.quorum import seats_by_maker
from keymoot.committee.messages import Kind
from keymoot.threshold.committee import Committee
from tests.committee.hardware import QUOTES, attestation, network, trust
from tests.committee.network import CommitteeNetwork
from tests.copying import copy_of

SIX = {1: "tdx", 2: "snp", 3: "nitro", 4: "tdx", 5: "snp", 6: "nitro"}


@pytest.fixture(scope="module")
def six() -> Callable[[], CommitteeNetwork]:
    with pytest.MonkeyPatch.context() as patch:
        trust(patch)
        made = network(SIX, attestation=attestation(most_per_maker=2, simulated=False))
        made.settle()
    return lambda: copy_of(made, {})


def check_mixed(net: CommitteeNetwork, truth: dict[int, str]) -> None:
    """Nobody holds a key by one maker's word, and each seat's vendor is who vouched for it."""
    state = net.ledger.state
    held = seats_by_maker(state.vendors())
    members = state.record.members
    most = min(2, Committee(members).ecdsa_degree)
    assert max(map(len, held.values())) <= most, held
    assert {seat: state.seat(seat).vendor for seat in members} == {at: truth[at] for at in members}


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_no_maker_holds_a_key(
    six: Callable[[], CommitteeNetwork], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Epochs that fail midway, recoveries to the epoch before, comers and goers, in any order."""
    trust(monkeypatch)
    net, dice, truth = six(), random.Random(seed), dict(SIX)
    fresh = 7
    for _ in range(5):
        members = net.ledger.state.record.members
        for _ in range(dice.randint(0, 3)):
            # numbers that nobody has any more are given anew
            free = [at for at in truth if at not in members and at not in net.quotes]
            seat = dice.choice(free) if free and dice.random() < 0.5 else fresh
            fresh += seat == fresh
            net.quotes[seat] = QUOTES[vendor := dice.choice(("tdx", "tdx", "snp", "nitro"))]
            truth[seat] = vendor
            net.arrive(seat)
            net.admit(seat)
        for seat in dice.sample(members, dice.randint(0, 2)):
            net.part(seat)
        net.settle()
        what = dice.choice(("epoch", "epoch", "fails", "back"))
        absent = set(dice.sample(members, 1)) if what == "back" else set()
        net.spoil = lambda seat, kind, body, what=what, absent=absent: (
            None if kind is Kind.HELD and (what == "fails" or seat in absent) else body
        )
        net.turn()
        net.settle()
        for _ in range(2):
            net.pass_time(12)
        check_mixed(net, truth)
        if what == "back":
            able = set(net.ledger.state.record.members) & set(members)
            net.send(net.recovery(able))
            net.settle()
            check_mixed(net, truth)
        net.spoil = lambda seat, kind, body: body
        net.settle()
        check_mixed(net, truth)
        for seat in [at for at in net.quotes if not net.ledger.state.has_seat(at)]:
            del net.quotes[seat]
            net.participants.pop(seat, None)
            net.views.pop(seat, None)
