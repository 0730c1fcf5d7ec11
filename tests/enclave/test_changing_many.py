"""Half, all or more of the members change at once: whoever comes can execute before it counts."""

from pathlib import Path

import pytest

from keymoot.committee.messages import Kind, NodeMessage, is_message
from keymoot.enclave import messages
from tests.enclave.box import Box
from tests.enclave.network import Network
from tests.enclave.shares import combined, shares_of
from tests.enclave.test_changes import arrive, ask_members, change, more_blocks, signers
from tests.examples import some


@pytest.mark.parametrize(
    ("size", "joining", "leaving"),
    some(
        [
            (4, [5, 6], [1, 2]),
            (4, [5], [2]),
            (4, [5, 6, 7, 8], [1, 2, 3, 4]),
            (4, [5, 6, 7], []),
            (7, [], [1, 2, 3]),
            (7, [8, 9, 10, 11], [1, 2, 3, 4, 5, 6, 7]),
        ],
        3,
    ),
)
def test_the_ledger_goes_on_whoever_comes_and_goes(
    tmp_path: Path, small_batches: None, size: int, joining: list[int], leaving: list[int]
) -> None:
    network = Network(tmp_path, size).found()
    scenario = network.scenario()
    before = network.bind(scenario)
    assert shares_of(network, before, (1, 2))
    at = change(network, joining, leaving)
    members = network.machine.state.record.members
    assert set(members) == {*range(1, size + 1), *joining} - set(leaving)
    more_blocks(network, 2)
    assert not network.stands_still
    assert network.branch.certified > at + 2
    # All of them sign, whoever they are, and one request more is answered.
    assert signers(network, network.branch.certified) == set(members)
    after = network.bind(scenario, 6)
    degree = network.machine.state.committee.ecdsa_degree
    given = shares_of(network, after, members[: degree + 1])
    assert combined(network, after, given, degree)


class TestWhoComesToBeNoMember:
    """A newcomer whose attempt fails: it has had the secret, and erases it."""

    def newcomer(self, network: Network) -> Box:
        one = arrive(network, 5)
        ask_members(network, messages.ADMIT, one.identity.identity_key)
        assert one.began
        assert one.enclave.sealed.now.state is not None
        assert 5 in network.machine.state_key.status.holders
        return one

    def test_a_generation_drops_it_and_it_comes_again(self, network: Network) -> None:
        one = self.newcomer(network)
        before = one.enclave.sealed.now
        network.recover()
        assert network.machine.epochs.membership.page.joining == {}
        now = one.enclave.sealed.now
        assert now.state is None
        assert not {before.epoch.expose(), before.next.expose()} & {
            now.epoch.expose(),
            now.next.expose(),
        }
        # It executes on, and started anew it watches: nobody gives the secret to a stranger.
        assert not one.lost
        network.restart(5)
        assert not one.began
        ask_members(network, messages.ADMIT, one.identity.identity_key)
        assert one.began
        ask_members(network, messages.TURN, b"")
        assert network.machine.state.record.members == (1, 2, 3, 4, 5)
        more_blocks(network, 1)
        assert 5 in signers(network, network.branch.certified)

    def test_a_start_that_was_not_there_erases_it_all_the_same(self, network: Network) -> None:
        one = self.newcomer(network)
        network.withheld.add(5)
        network.recover()
        network.withheld.clear()
        # This start has seen no state in which it was about to be a member; one before it had.
        one = network.restart(5)
        assert one.enclave.sealed.now.state is None
        assert 5 not in network.machine.state_key.status.holders


@pytest.mark.parametrize("step", some(["asked", "holding", "held", "member"], 2))
def test_newcomers_start_anew_on_their_way(network: Network, step: str) -> None:
    """Two of four that come: before they hold the secret, after, and right after the switch."""
    for seat in (5, 6, 7, 8):
        one = arrive(network, seat)
        if step == "asked":
            network.keeps = lambda raw: kind_of(raw) is Kind.STATE_ANSWER
        if step == "holding":
            network.keeps = lambda raw: kind_of(raw) is Kind.STATE_HELD
        ask_members(network, messages.ADMIT, one.identity.identity_key)
        if step in ("asked", "holding"):
            assert seat not in network.machine.state_key.status.holders
    network.keeps = lambda _: False
    if step in ("asked", "holding", "held"):
        for seat in (5, 6):
            network.restart(seat)
        network.said += network.kept
        network.settle()
    assert network.machine.state_key.status.holders == set(range(1, 9))
    for seat in (1, 2, 3, 4):
        network.boxes[seat].ask(messages.PART, bytes([seat]))
    network.settle()
    ask_members(network, messages.TURN, b"")
    assert network.machine.state.record.members == (5, 6, 7, 8)
    if step == "member":
        network.restart(5)
    more_blocks(network, 2)
    assert not network.stands_still
    assert signers(network, network.branch.certified) == {5, 6, 7, 8}
    # One of them falls silent: the others certify.
    network.withheld.add(7)
    more_blocks(network, 2)
    assert not network.stands_still


@pytest.mark.parametrize("waking", [frozenset[int](), frozenset({5, 6})])
def test_too_many_start_anew_right_after_all_have_changed(
    network: Network, waking: frozenset[int]
) -> None:
    change(network, [5, 6, 7, 8], [1, 2, 3, 4])
    network.recover(waking)
    assert network.machine.state.record.members == (5, 6, 7, 8)
    scenario = network.scenario()
    key = network.bind(scenario)
    assert combined(network, key, shares_of(network, key, (5, 8)))


def kind_of(raw: bytes) -> Kind | None:
    return NodeMessage.decode(raw).kind if is_message(raw) else None
