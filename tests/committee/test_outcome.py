"""What a block bound: every part of it changes the certificate's message, or the nonce."""

from dataclasses import replace

from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.binding import PresignatureBinding
from keymoot.committee.certified import certificate_message
from keymoot.committee.outcome import Binding, task_of
from keymoot.committee.presign.record import PresignatureId
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import known_root

NETWORK, GENERATION = NetworkId(b"n" * 32), Hash32(b"g" * 32)
NAME, VALUE = PresignatureId(3, 7), b"v" * 32


def test_a_certificate_is_over_a_block_and_all_that_names_it():
    seen = {
        certificate_message(NETWORK, GENERATION, Height(5), Hash32(b"b" * 32)),
        certificate_message(NetworkId(b"x" * 32), GENERATION, Height(5), Hash32(b"b" * 32)),
        certificate_message(NETWORK, Hash32(b"x" * 32), Height(5), Hash32(b"b" * 32)),
        certificate_message(NETWORK, GENERATION, Height(6), Hash32(b"b" * 32)),
        certificate_message(NETWORK, GENERATION, Height(5), Hash32(b"x" * 32)),
    }
    assert len(seen) == 5


def test_a_nonce_is_of_the_certificate_and_of_all_that_was_bound():
    """Whoever was told anything else of the request makes a share that fits no other."""
    _, root, _ = known_root(SECP256K1, 4, 1)
    _, other, _ = known_root(SECP256K1, 4, 1)
    point = SECP256K1.base_public(5)
    binding = Binding(
        request=Hash32(b"q" * 32),
        wallet=WalletId(b"w" * 32),
        requester=Address(b"a" * 20),
        material=PresignatureBinding(NAME),
        digest=Hash32(b"d" * 32),
        reply_key=Bytes32(b"k" * 32),
        expires_at=UnixSeconds(9),
        withdrawal=False,
        height=Height(5),
    )
    whole = (root, NETWORK, GENERATION, binding, NAME, VALUE, point)
    changes = {
        0: [other],
        1: [NetworkId(b"x" * 32)],
        2: [Hash32(b"x" * 32)],
        3: [
            replace(binding, request=Hash32(b"x" * 32)),
            replace(binding, digest=Hash32(b"x" * 32)),
            replace(binding, wallet=WalletId(b"x" * 32)),
        ],
        4: [PresignatureId(4, 7), PresignatureId(3, 8)],
        5: [b"x" * 32],
        6: [SECP256K1.base_public(6)],
    }
    deltas = {task_of(*whole).delta}
    for at, others in changes.items():
        deltas |= {task_of(*whole[:at], one, *whole[at + 1 :]).delta for one in others}
    assert len(deltas) == 1 + 10
