"""Nobody deals to a key that the receiver's identity has not signed.

What is encrypted goes to four kinds of key: of an epoch, of a start, of a newcomer, and the
one-time key of an ask. From each a chain of signatures leads to the identity of the seat; in the
genesis each founder finds its own keys itself, before it says anything.
"""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, list_of
from keymoot.committee.membership.record import JoinBody
from keymoot.committee.messages import (
    AttemptBody,
    Kind,
    NodeMessage,
    NumberedBody,
)
from keymoot.committee.recovery.order import SignedRecoveryOrder
from keymoot.committee.seat import NewSession, SessionKeys, by_seat
from keymoot.committee.statekey.record import AskBody
from keymoot.crypto import ed25519
from tests.committee.bodies import fields_of
from tests.committee.members import ready
from tests.committee.network import NETWORK, CommitteeNetwork


class Notary:
    """Follows what was taken, and believes a key only as far as signatures lead."""

    def __init__(self, founders) -> None:
        self.identity = {at: one.identity for at, one in enumerate(founders, 1)}
        self.session = {at: one.session for at, one in enumerate(founders, 1)}
        keys = {at: {one.sealing, one.session.sealing} for at, one in enumerate(founders, 1)}
        self.keys = {self.identity[at]: known for at, known in keys.items()}

    def handle(self, one: NodeMessage) -> None:
        """Take a message into account: each key by whose signature it came."""
        seat, kind = one.seat, one.kind
        if kind is Kind.RECOVER:
            order = SignedRecoveryOrder.decode(one.body)
            for at, session in order.terms.sessions.items():
                identity = self.identity[at]
                assert ed25519.verify(identity, order.terms.digest(), order.signatures[at])
                self.start(at, session)
        elif kind is Kind.JOIN:
            newcomer, _ = fields_of(JoinBody.decode(AttemptBody.decode(one.body).content))
            assert one.signed_by(newcomer.identity)
            self.identity[seat] = newcomer.identity
            self.keys[newcomer.identity] = {newcomer.sealing}
            self.start(seat, newcomer.session)
        elif kind is Kind.SESSION:
            assert one.signed_by(self.identity[seat])
            self.start(seat, NewSession.decode(one.body).session)
        elif kind is Kind.EPOCH_KEY:
            assert one.signed_by(self.session[seat].signing)
            self.keys[self.identity[seat]].add(NumberedBody.decode(one.body).content)

    def start(self, seat: int, session: SessionKeys) -> None:
        self.session[seat] = session
        self.keys[self.identity[seat]].add(session.sealing)

    def check(self, seat: int, key: bytes) -> None:
        assert key in self.keys[self.identity[seat]], f"seat {seat} never signed for {key.hex()}"


class Watched(CommitteeNetwork):
    """A net in which every key that is dealt to is checked, in every block."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.notary, self.checked = Notary(self.founders()), set()

    def send(self, *messages: NodeMessage) -> None:
        before = len(self.refused)
        super().send(*messages)
        refused = [one for one, _ in self.refused[before:]]
        for one in messages:
            if not any(one is other for other in refused):
                self.notary.handle(one)
        self.check_ledger()

    def check_ledger(self) -> None:
        ledger = self.ledger
        for at, seat in ledger.state.seats().items():
            assert self.notary.identity.get(at) == seat.identity
            self.check("epoch", at, seat.sealing)
            if seat.next:
                self.check("next epoch", at, seat.next)
            if seat.session is not None:
                self.check("start", at, seat.session.sealing)
        epoch = ledger.epochs.current
        for at, key in by_seat(epoch.keys if epoch is not None else ()).items():
            self.check("reshare", at, key)
        for number in (*ledger.stock.page.open, *ledger.stock.page.ready):
            batch = ledger.stock.batch(number)
            for at, key in by_seat(batch.keys if batch is not None else ()).items():
                self.check("batch", at, key)

    def check(self, what: str, seat: int, key: bytes) -> None:
        self.notary.check(seat, key)
        self.checked.add(what)


def test_every_key_that_is_dealt_to_is_signed_for_in_a_long_story():
    net = Watched()
    net.settle()
    net.change([5], [2])
    net.turn()
    net.settle()
    net.send(net.recovery({1, 3, 4}))
    net.settle()
    net.restart(5)
    net.settle()
    # and back over a switch that not all hold
    net.spoil = lambda participant, kind, body: (
        None if kind is Kind.HELD and participant == 5 else body
    )
    net.turn()
    net.settle()
    net.pass_time(24)
    net.send(net.recovery({1, 3, 4, 5}))
    net.spoil = lambda participant, kind, body: body
    net.settle()
    net.turn()
    net.settle()
    assert net.checked == {"epoch", "next epoch", "start", "reshare", "batch"}


class TestAForeignKeyIsRefused:
    """What a host tries: its own key in the place of an enclave's."""

    @pytest.fixture
    def net(self):
        return ready()

    @pytest.fixture
    def host(self, net):
        return net.session()

    def test_of_an_epoch(self, net, host):
        body = NumberedBody(1, host.public.sealing).encode()
        said = NodeMessage(NETWORK, net.ledger.state.record.generation, 2, Kind.EPOCH_KEY, body)
        for key in (host.signing, net.participants[1].session.signing, net.identities[2]):
            assert net.refusal(said.signed(key)) == "NotSeated"

    def test_of_a_start(self, net, host):
        body = NewSession(net.participants[2].session.public.signing, host.public).encode()
        said = NodeMessage(NETWORK, net.ledger.state.record.generation, 2, Kind.SESSION, body)
        keys = (host.signing, net.participants[2].session.signing, net.identities[1])
        for key in keys:
            assert net.refusal(said.signed(key)) == "NotSeated"

    def test_in_a_recovery(self, net, host):
        said = net.recovery({1, 2, 3, 4})
        order = SignedRecoveryOrder.decode(said.body)
        terms = replace(order.terms, sessions={**order.terms.sessions, 2: host.public})
        forged = SignedRecoveryOrder(terms, order.signatures)
        assert net.refusal(replace(said, body=forged.encode())) == "NotSeated"
        # the others sign it, and who is named does not
        signed = {at: ed25519.sign(net.identities[at], terms.digest()) for at in (1, 3, 4)}
        for more in ({}, {2: ed25519.sign(host.signing, terms.digest())}):
            forged = SignedRecoveryOrder(terms, {**signed, **more})
            assert net.refusal(replace(said, body=forged.encode())) == "NotSeated"

    @pytest.mark.parametrize("place", ["sealing", "session"])
    def test_of_a_newcomer(self, net, host, place):
        net.arrive(5)
        net.admit(5)
        join = next(one for one in net.tasks() if one.kind is Kind.JOIN)
        number, attempt, content = fields_of(AttemptBody.decode(join.body))
        newcomer, evidence = fields_of(JoinBody.decode(content))
        key = host.public if place == "session" else host.public.sealing
        forged = AttemptBody(
            number, attempt, JoinBody(replace(newcomer, **{place: key}), evidence).encode()
        ).encode()
        said = replace(join, body=forged)
        assert net.refusal(said) == "NotSeated"
        assert net.refusal(said.signed(host.signing)) == "NotSeated"

    def test_of_an_ask(self):
        from tests.committee.asking import before_asks, until

        net = before_asks()
        asks = [one for one in until(net, Kind.STATE_ASK) if one.kind is Kind.STATE_ASK]
        mine, other = asks[0], asks[1]
        to = AskBody.decode(other.body).to
        epoch, attempt, name, first, second, signature = list_of(rlp.decode(mine.body), 6, "ask")
        assert bytes_of(first, "first") != to.first
        body = rlp.encode([epoch, attempt, name, to.first, to.second, signature])
        net.send(*(one for one in net.tasks() if one.kind is not Kind.STATE_ASK))
        said = net.message(mine.seat, Kind.STATE_ASK, body)
        assert net.refusal(said) == "NotSeated"
        assert second != to.second
