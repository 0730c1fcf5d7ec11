"""The terms of a recovery order: all of them are signed, and there is one way to write them."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.errors import NotSeated
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder, terms_in
from keymoot.committee.seat import SessionKeys
from keymoot.crypto import ed25519
from keymoot.threshold.committee import MAX_SIZE
from tests.committee.network import CommitteeNetwork


def session(number: int) -> SessionKeys:
    return CommitteeNetwork(seed=number).participants[1].session.public


TERMS = RecoveryOrder(
    NetworkId(b"n" * 32),
    Hash32(b"p" * 32),
    Height(7),
    Hash32(b"b" * 32),
    {1: session(1), 2: session(2)},
)


@pytest.mark.parametrize(
    "change",
    [
        {"network": NetworkId(b"x" * 32)},
        {"previous": Hash32(b"x" * 32)},
        {"base": Height(8)},
        {"block": Hash32(b"x" * 32)},
        {"sessions": {1: session(1)}},
        {"sessions": {1: session(1), 3: session(2)}},
        {"sessions": {1: session(2), 2: session(1)}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_term_is_signed(change: dict) -> None:
    other = replace(TERMS, **change)
    assert other.digest() != TERMS.digest()


def test_only_members_signatures_count_and_each_once() -> None:
    net = CommitteeNetwork()
    identities = {at: participant.identity.public for at, participant in net.participants.items()}
    signed = {at: ed25519.sign(net.identities[at], TERMS.digest()) for at in (1, 2, 3)}
    assert SignedRecoveryOrder(TERMS, signed).signers(identities) == {1, 2, 3}
    # of nobody's seat, of another seat, of other terms
    other = ed25519.sign(net.identities[4], replace(TERMS, base=Height(8)).digest())
    for seat, signature in ((9, signed[1]), (4, signed[1]), (4, other)):
        made = SignedRecoveryOrder(TERMS, {**signed, seat: signature})
        assert made.signers(identities) == {1, 2, 3}


def test_enough_sign_and_whoever_is_named() -> None:
    """It names seats 1 and 2."""
    net = CommitteeNetwork()
    identities = {at: participant.identity.public for at, participant in net.participants.items()}

    def check(signers: tuple[int, ...], needed: int) -> None:
        signed = {at: ed25519.sign(net.identities[at], TERMS.digest()) for at in signers}
        SignedRecoveryOrder(TERMS, signed).check(identities, needed)

    check((1, 2, 3), 3)
    check((1, 2), 2)
    for signers, needed in (((1, 2), 3), ((1, 3, 4), 3), ((1,), 1)):
        with pytest.raises(NotSeated):
            check(signers, needed)


def written(sessions: list, signatures: list) -> bytes:
    terms = [TERMS.network, TERMS.previous, uint(TERMS.base), TERMS.block, sessions]
    return rlp.encode([terms, signatures])


def test_seats_are_listed_once_in_order() -> None:
    sessions = [[uint(at), TERMS.sessions[at].item()] for at in (1, 2)]
    signatures = [[uint(at), bytes([at]) * 64] for at in (1, 2)]
    assert SignedRecoveryOrder.decode(written(sessions, signatures)).terms == TERMS
    for wrong in (
        written(sessions[::-1], signatures),
        written([*sessions, sessions[1]], signatures),
    ):
        with pytest.raises(Malformed, match="do not rise, or one stands twice"):
            SignedRecoveryOrder.decode(wrong)
    for wrong in (signatures[::-1], [*signatures, signatures[1]]):
        with pytest.raises(Malformed, match="do not rise, or one stands twice"):
            SignedRecoveryOrder.decode(written(sessions, wrong))


def test_more_seats_than_there_can_be_are_not_read() -> None:
    sessions = [[uint(at), TERMS.sessions[1].item()] for at in range(1, MAX_SIZE + 2)]
    signatures = [[uint(at), bytes(64)] for at in range(1, MAX_SIZE + 2)]
    for wrong in (written(sessions, []), written([], signatures)):
        with pytest.raises(Malformed, match=f"at most {MAX_SIZE} entries"):
            SignedRecoveryOrder.decode(wrong)


def test_an_order_is_told_from_other_transactions() -> None:
    body = SignedRecoveryOrder(TERMS, {}).encode()
    made = NodeMessage(TERMS.network, TERMS.previous, 0, Kind.RECOVER, body)
    assert terms_in(made.encode()) == TERMS
    assert terms_in(replace(made, kind=Kind.SESSION).encode()) is None
    assert terms_in(replace(made, body=body[:-1]).encode()) is None
    assert terms_in(b"") is None
    assert terms_in(body) is None
