"""What a block bound, as enclaves sign it and requesters collect it.

A request's rerandomiser hashes the value of its block's certificate with everything that the
block has fixed of the request.
"""

from dataclasses import dataclass

from keymoot.base.fixed import Address, AppId, Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.binding import FrostBinding, SignatureBinding
from keymoot.committee.nonces.record import commitments_of
from keymoot.committee.presign.record import PresignatureId
from keymoot.committee.wallet_key import tweak_of
from keymoot.threshold import derivation, ecdsa, frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.derived import AskerKey, input_of
from keymoot.threshold.ecdsa import Task
from keymoot.threshold.frost import Signing
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1, Point

APP_PURPOSE = "app"
"""Purpose of keys that accounts ask for; the network's own keys have others."""

INSTANCE_PURPOSE = "app instance"
"""Purpose of keys that instances of an app ask for: the same for all of them."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A request that a final block has bound to what serves one signature.

    Attributes:
        request: Its name on the ledger.
        wallet: Whose key is to sign.
        requester: The credential, or the owner.
        material: What it is bound to, for ever; of what scheme, it says itself.
        digest: What is to be signed, or the name of the message that is.
        reply_key: X25519 key to which answers are sealed.
        expires_at: Last second at which it is answered.
        withdrawal: An owner asked: no pause stops it.
        height: The block that bound it.
    """

    request: Hash32
    wallet: WalletId
    requester: Address
    material: SignatureBinding
    digest: Hash32
    reply_key: Bytes32
    expires_at: UnixSeconds
    withdrawal: bool
    height: Height


@dataclass(frozen=True, slots=True)
class KeyAsk:
    """A question for a derived key, as the block at `height` holds it.

    `inputs` are what the key is derived from, `to` is the asker's one-time key. Until `expires_at`,
    that second included, it is answered. Of an `app` it is answered to a live instance only.
    """

    question: Hash32
    asker: Address
    inputs: bytes
    to: AskerKey
    expires_at: UnixSeconds
    height: Height
    app: AppId | None = None


def key_input(asker: Address, name: bytes) -> bytes:
    return input_of(APP_PURPOSE, asker, name)


def app_key_input(app: AppId, kind: int, key_id: bytes) -> bytes:
    """Give what a key of an app is derived from: no instance, and nothing that changes."""
    return input_of(INSTANCE_PURPOSE, app, bytes((kind,)), key_id)


def signing_of(root: Root, network: NetworkId, wallet: WalletId, material: FrostBinding) -> Signing:
    """Fix what bound nonces are spent on; every signer and the requester compute it alike.

    Raises:
        Cheated: a signer's commitment is no point.
        TooFew: under degree+1 signers.
    """
    epsilon = tweak_of(root, network, wallet)
    return frost.prepare(ED25519, root, epsilon, material.message, commitments_of(material.slots))


def task_of(
    root: Root,
    network: NetworkId,
    generation: Hash32,
    binding: Binding,
    name: PresignatureId,
    value: bytes,
    point: Point,
) -> Task:
    """Fix what a bound presignature is spent on; every enclave computes it alike.

    Generation and certificate's `value` are those at the binding's height; `point` is the
    presignature's R.
    """
    epsilon = tweak_of(root, network, binding.wallet)
    delta = ecdsa.rerandomiser(
        value,
        point,
        network,
        generation,
        SECP256K1.encode(root.public),
        name.encode(),
        binding.request,
        binding.digest,
        epsilon.to_bytes(32, "big"),
    )
    public = derivation.child(root, epsilon)
    return ecdsa.task(point, delta, binding.digest, epsilon, public)
