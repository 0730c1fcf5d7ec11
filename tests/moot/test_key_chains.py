"""Nobody deals to a key that the receiver's identity has not signed.

What is encrypted goes to four kinds of key: of an epoch, of a start, of a newcomer, and the
one-time key of an ask. From each a chain of signatures leads to the identity of the seat; in the
genesis each founder finds its own keys itself, before it says anything.
"""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, list_of
from keymoot.crypto import ed25519
from keymoot.moot.admission import read_join, write_join
from keymoot.moot.assembly import read_boot, write_boot
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.certificate import SignedCertificate
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.seat import Boot, by_seat
from keymoot.moot.statekey import read_ask
from keymoot.moot.turn import read_turn, write_turn
from tests.moot.members import ready
from tests.moot.town import NETWORK, Town


class Notary:
    """Follows what was taken, and believes a key only as far as signatures lead."""

    def __init__(self, founders) -> None:
        self.identity = {at: one.identity for at, one in enumerate(founders, 1)}
        self.session = {at: one.boot for at, one in enumerate(founders, 1)}
        keys = {at: {one.sealing, one.boot.sealing} for at, one in enumerate(founders, 1)}
        self.keys = {self.identity[at]: known for at, known in keys.items()}

    def hear(self, one: NodeMessage) -> None:
        """Take a message into account: each key by whose signature it came."""
        seat, kind = one.seat, one.kind
        if kind is Kind.RECOVER:
            order = SignedCertificate.decode(one.body)
            for at, boot in order.terms.boots.items():
                identity = self.identity[at]
                assert ed25519.verify(identity, order.terms.digest(), order.signatures[at])
                self.start(at, boot)
        elif kind is Kind.JOIN:
            newcomer, _ = read_join(read_turn(one.body)[2])
            assert one.signed_by(newcomer.identity)
            self.identity[seat] = newcomer.identity
            self.keys[newcomer.identity] = {newcomer.sealing}
            self.start(seat, newcomer.boot)
        elif kind is Kind.BOOT:
            assert one.signed_by(self.identity[seat])
            self.start(seat, read_boot(one.body)[1])
        elif kind is Kind.EPOCH_KEY:
            assert one.signed_by(self.session[seat].signing)
            self.keys[self.identity[seat]].add(read_numbered(one.body)[1])

    def start(self, seat: int, boot: Boot) -> None:
        self.session[seat] = boot
        self.keys[self.identity[seat]].add(boot.sealing)

    def check(self, seat: int, key: bytes) -> None:
        assert key in self.keys[self.identity[seat]], f"seat {seat} never signed for {key.hex()}"


class Watched(Town):
    """A town in which every key that is dealt to is checked, in every block."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.notary, self.checked = Notary(self.founders()), set()

    def say(self, *messages: NodeMessage) -> None:
        before = len(self.refused)
        super().say(*messages)
        refused = [one for one, _ in self.refused[before:]]
        for one in messages:
            if not any(one is other for other in refused):
                self.notary.hear(one)
        self.look()

    def look(self) -> None:
        ledger = self.ledger
        for at, seat in ledger.hall.seats().items():
            assert self.notary.identity.get(at) == seat.identity
            self.check("epoch", at, seat.sealing)
            if seat.next:
                self.check("next epoch", at, seat.next)
            if seat.boot is not None:
                self.check("start", at, seat.boot.sealing)
        epoch = ledger.turning.epoch
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
    town = Watched()
    town.settle()
    town.change([5], [2])
    town.turn()
    town.settle()
    town.say(town.recovery({1, 3, 4}))
    town.settle()
    town.restart(5)
    town.settle()
    # and back over a switch that not all hold
    town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 5 else body
    town.turn()
    town.settle()
    town.pass_time(24)
    town.say(town.recovery({1, 3, 4, 5}))
    town.spoil = lambda party, kind, body: body
    town.settle()
    town.turn()
    town.settle()
    assert town.checked == {"epoch", "next epoch", "start", "reshare", "batch"}


class TestAForeignKeyIsRefused:
    """What a host tries: its own key in the place of an enclave's."""

    @pytest.fixture
    def town(self):
        return ready()

    @pytest.fixture
    def host(self, town):
        return town.boot()

    def test_of_an_epoch(self, town, host):
        body = write_numbered(1, host.public.sealing)
        said = NodeMessage(NETWORK, town.ledger.hall.head.generation, 2, Kind.EPOCH_KEY, body)
        for key in (host.signing, town.parties[1].boot.signing, town.identities[2]):
            assert town.refusal(said.signed(key)) == "NotSeated"

    def test_of_a_start(self, town, host):
        body = write_boot(town.parties[2].boot.public, host.public)
        said = NodeMessage(NETWORK, town.ledger.hall.head.generation, 2, Kind.BOOT, body)
        keys = (host.signing, town.parties[2].boot.signing, town.identities[1])
        for key in keys:
            assert town.refusal(said.signed(key)) == "NotSeated"

    def test_in_a_recovery(self, town, host):
        said = town.recovery({1, 2, 3, 4})
        order = SignedCertificate.decode(said.body)
        terms = replace(order.terms, boots={**order.terms.boots, 2: host.public})
        forged = SignedCertificate(terms, order.signatures)
        assert town.refusal(replace(said, body=forged.encode())) == "NotSeated"
        # the others sign it, and who is named does not
        signed = {at: ed25519.sign(town.identities[at], terms.digest()) for at in (1, 3, 4)}
        for more in ({}, {2: ed25519.sign(host.signing, terms.digest())}):
            forged = SignedCertificate(terms, {**signed, **more})
            assert town.refusal(replace(said, body=forged.encode())) == "NotSeated"

    @pytest.mark.parametrize("place", ["sealing", "boot"])
    def test_of_a_newcomer(self, town, host, place):
        town.arrive(5)
        town.admit(5)
        join = next(one for one in town.duties() if one.kind is Kind.JOIN)
        number, attempt, content = read_turn(join.body)
        newcomer, evidence = read_join(content)
        key = host.public if place == "boot" else host.public.sealing
        forged = write_turn(
            number, attempt, write_join(replace(newcomer, **{place: key}), evidence)
        )
        said = replace(join, body=forged)
        assert town.refusal(said) == "NotSeated"
        assert town.refusal(said.signed(host.signing)) == "NotSeated"

    def test_of_an_ask(self):
        from tests.moot.asking import before_asks, until

        town = before_asks()
        asks = [one for one in until(town, Kind.STATE_ASK) if one.kind is Kind.STATE_ASK]
        mine, other = asks[0], asks[1]
        _, _, to, _ = read_ask(other.body)
        epoch, attempt, name, first, second, signature = list_of(rlp.decode(mine.body), 6, "ask")
        assert bytes_of(first, "first") != to.first
        body = rlp.encode([epoch, attempt, name, to.first, to.second, signature])
        town.say(*(one for one in town.duties() if one.kind is not Kind.STATE_ASK))
        said = town.message(mine.seat, Kind.STATE_ASK, body)
        assert town.refusal(said) == "NotSeated"
        assert second != to.second
