"""What a block bound, as enclaves sign it and requesters collect it.

A request's rerandomiser hashes the value of its block's certificate with everything that the
block has fixed of the request.
"""

from dataclasses import dataclass

from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.batch import PresignatureId
from keymoot.moot.slot import Slot, commitments_of
from keymoot.threshold import derivation, ecdsa, frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.derived import AskerKey, input_of
from keymoot.threshold.ecdsa import Task
from keymoot.threshold.frost import Signing
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1, Point

_PATH = b"wallet"

APP_PURPOSE = "app"
"""Purpose of keys that accounts ask for; the network's own keys have others."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A request that a final block has bound to a presignature.

    Attributes:
        request: Its name on the ledger.
        wallet: Whose key is to sign.
        requester: The credential, or the owner.
        means: What it is bound to, for ever: a presignature, or nonces of its signers.
        digest: What is to be signed, or the name of the message that is.
        message: What an Ed25519 key is to sign; empty for ECDSA.
        reply_key: X25519 key to which answers are sealed.
        expires_at: Last second at which it is answered.
        withdrawal: An owner asked: no pause stops it.
        height: The block that bound it.
    """

    request: Hash32
    wallet: WalletId
    requester: Address
    means: PresignatureId | tuple[Slot, ...]
    digest: Hash32
    message: bytes
    reply_key: Bytes32
    expires_at: UnixSeconds
    withdrawal: bool
    height: Height


@dataclass(frozen=True, slots=True)
class KeyAsk:
    """A question for a derived key that a final block holds.

    Attributes:
        question: Its name on the ledger.
        asker: The account that asked; part of the key's name.
        name: The account's name for the key.
        to: The asker's one-time key.
        expires_at: Last second at which it is answered.
        height: The block that holds it.
    """

    question: Hash32
    asker: Address
    name: bytes
    to: AskerKey
    expires_at: UnixSeconds
    height: Height


def key_input(asker: Address, name: bytes) -> bytes:
    """Give the input from which an account's key of some name is derived."""
    return input_of(APP_PURPOSE, asker, name)


def path_of(wallet: WalletId | Bytes32) -> bytes:
    """Give the path of a wallet's key under a signing root."""
    return _PATH + wallet


def signing_of(
    root: Root, network: NetworkId, wallet: WalletId, message: bytes, slots: tuple[Slot, ...]
) -> Signing:
    """Fix what bound nonces are spent on; every signer and the requester compute it alike.

    Args:
        root: The Ed25519 root.
        network: The network's id.
        wallet: Whose key is to sign.
        message: What it is to sign.
        slots: The signers and their commitments, as the block has bound them.

    Raises:
        Cheated: a signer's commitment is no point.
        TooFew: under degree+1 signers.
    """
    epsilon = derivation.tweak(root, network, path_of(wallet))
    return frost.prepare(ED25519, root, epsilon, message, commitments_of(slots))


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

    Args:
        root: The ECDSA root.
        network: The network's id.
        generation: The generation at the binding's height.
        binding: What the block has bound.
        name: The presignature that it is bound to.
        value: Of the certificate of that very block.
        point: R of the presignature.
    """
    epsilon = derivation.tweak(root, network, path_of(binding.wallet))
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
