"""The terms of a recovery order: all of them are signed, and there is one way to write them."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.moot.certificate import Certificate, SignedCertificate, terms_in
from keymoot.moot.errors import NotSeated
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.seat import Boot
from keymoot.threshold.committee import MAX_SIZE
from tests.moot.town import Town


def boot(number: int) -> Boot:
    return Town(seed=number).parties[1].boot.public


TERMS = Certificate(
    NetworkId(b"n" * 32), Hash32(b"p" * 32), Height(7), Hash32(b"b" * 32), {1: boot(1), 2: boot(2)}
)


@pytest.mark.parametrize(
    "change",
    [
        {"network": NetworkId(b"x" * 32)},
        {"previous": Hash32(b"x" * 32)},
        {"base": Height(8)},
        {"block": Hash32(b"x" * 32)},
        {"boots": {1: boot(1)}},
        {"boots": {1: boot(1), 3: boot(2)}},
        {"boots": {1: boot(2), 2: boot(1)}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_term_is_signed(change: dict) -> None:
    other = replace(TERMS, **change)
    assert other.digest() != TERMS.digest()


def test_only_members_signatures_count_and_each_once() -> None:
    town = Town()
    identities = {at: party.papers.public for at, party in town.parties.items()}
    signed = {at: ed25519.sign(town.identities[at], TERMS.digest()) for at in (1, 2, 3)}
    assert SignedCertificate(TERMS, signed).signers(identities) == {1, 2, 3}
    # of nobody's seat, of another seat, of other terms
    other = ed25519.sign(town.identities[4], replace(TERMS, base=Height(8)).digest())
    for seat, signature in ((9, signed[1]), (4, signed[1]), (4, other)):
        made = SignedCertificate(TERMS, {**signed, seat: signature})
        assert made.signers(identities) == {1, 2, 3}


def test_enough_sign_and_whoever_is_named() -> None:
    """It names seats 1 and 2."""
    town = Town()
    identities = {at: party.papers.public for at, party in town.parties.items()}

    def check(signers: tuple[int, ...], needed: int) -> None:
        signed = {at: ed25519.sign(town.identities[at], TERMS.digest()) for at in signers}
        SignedCertificate(TERMS, signed).check(identities, needed)

    check((1, 2, 3), 3)
    check((1, 2), 2)
    for signers, needed in (((1, 2), 3), ((1, 3, 4), 3), ((1,), 1)):
        with pytest.raises(NotSeated):
            check(signers, needed)


def written(boots: list, signatures: list) -> bytes:
    terms = [TERMS.network, TERMS.previous, uint(TERMS.base), TERMS.block, boots]
    return rlp.encode([terms, signatures])


def test_seats_are_listed_once_in_order() -> None:
    boots = [[uint(at), TERMS.boots[at].encode()] for at in (1, 2)]
    signatures = [[uint(at), bytes([at]) * 64] for at in (1, 2)]
    assert SignedCertificate.decode(written(boots, signatures)).terms == TERMS
    for wrong in (written(boots[::-1], signatures), written([*boots, boots[1]], signatures)):
        with pytest.raises(Malformed, match="once, in order"):
            SignedCertificate.decode(wrong)
    for wrong in (signatures[::-1], [*signatures, signatures[1]]):
        with pytest.raises(Malformed, match="once, in order"):
            SignedCertificate.decode(written(boots, wrong))


def test_more_seats_than_there_can_be_are_not_read() -> None:
    boots = [[uint(at), TERMS.boots[1].encode()] for at in range(1, MAX_SIZE + 2)]
    signatures = [[uint(at), bytes(64)] for at in range(1, MAX_SIZE + 2)]
    for wrong in (written(boots, []), written([], signatures)):
        with pytest.raises(Malformed, match=f"at most {MAX_SIZE} seats"):
            SignedCertificate.decode(wrong)


def test_an_order_is_told_from_other_transactions() -> None:
    body = SignedCertificate(TERMS, {}).encode()
    made = NodeMessage(TERMS.network, TERMS.previous, 0, Kind.RECOVER, body)
    assert terms_in(made.encode()) == TERMS
    assert terms_in(replace(made, kind=Kind.BOOT).encode()) is None
    assert terms_in(replace(made, body=body[:-1]).encode()) is None
    assert terms_in(b"") is None
    assert terms_in(body) is None
