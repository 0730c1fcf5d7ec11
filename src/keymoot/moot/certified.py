"""A certified header: the block, and everything before it, is the network's.

A certificate is a BLS signature over the block's hash under a key that never changes, the
network's verifying key. Two certificates of one height in one generation would need two sets
of enclaves that share an honest one; a recovery makes another generation, so whoever verifies
remembers the newest header that it has seen.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.store.header import Header
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.group import BadPoint
from keymoot.threshold.session import framed

_TAG = b"keymoot/v1/certificate"

SIGNATURE_BYTES = G1.POINT_BYTES
"""Length of a certificate: 48 bytes."""

VERIFYING_KEY_BYTES = G2.POINT_BYTES
"""Length of the network's verifying key: 96 bytes."""


class NotCertified(Refused):
    """The signature is not the network's over this header."""

    code = "NOT_CERTIFIED"

    def __init__(self, height: Height) -> None:
        """Say what to do."""
        super().__init__(
            f"the certificate of block {height} is not good under the network's verifying key: "
            "ask another node, and check that the key is this network's"
        )


@dataclass(frozen=True, slots=True)
class CertifiedHeader:
    """A header and what claims to be its certificate; `verify` tells.

    Attributes:
        header: The block's header.
        signature: A compressed point of G1, 48 bytes.
    """

    header: Header
    signature: bytes

    def __post_init__(self) -> None:
        """Refuse a signature of another length.

        Raises:
            Malformed: not 48 bytes.
        """
        if len(self.signature) != SIGNATURE_BYTES:
            raise Malformed(
                f"a certificate has {SIGNATURE_BYTES} bytes, got {len(self.signature)}", "signature"
            )

    def message(self, network: NetworkId) -> bytes:
        """Give what its signature is over."""
        header = self.header
        return certificate_message(network, header.generation, header.height, header.hash)

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        return rlp.encode([self.header.encode(), self.signature])

    @staticmethod
    def decode(raw: bytes) -> "CertifiedHeader":
        """Read the canonical bytes.

        Raises:
            Malformed: not that.
        """
        header, signature = list_of(rlp.decode(raw), 2, "certified")
        return CertifiedHeader(
            Header.decode(bytes_of(header, "header")),
            bytes_of(signature, "signature", SIGNATURE_BYTES),
        )


def certificate_message(
    network: NetworkId, generation: Hash32, height: Height, block: Hash32
) -> bytes:
    """Give what enclaves sign of a block.

    Args:
        network: The network's id.
        generation: The generation after the block, as its header says.
        height: The block's height.
        block: Its hash.
    """
    return framed(_TAG, network, generation, height.to_bytes(8, "big"), block)


def verify(verifying_key: bytes, network: NetworkId, certified: CertifiedHeader) -> None:
    """Raise unless a header is certified.

    Args:
        verifying_key: The network's, 96 bytes; from its founding record, or pinned.
        network: The network's id.
        certified: Whatever somebody gave.

    Raises:
        NotCertified: it is not.
        BadPoint: the key is none.
    """
    key = _key(verifying_key)
    try:
        signature = G1.decode(certified.signature)
    except BadPoint as error:
        raise NotCertified(certified.header.height) from error
    if not bls.verify(key, certified.message(network), signature):
        raise NotCertified(certified.header.height)


def value_of(signature: bytes) -> bytes:
    """Give what nobody knew before a certificate was made: SHA-256 of it, 32 bytes."""
    return hashlib.sha256(signature).digest()


@lru_cache(maxsize=16)
def _key(encoded: bytes) -> Any:
    # The check of the subgroup costs a fifth of a verification; a key is public and stays.
    return G2.decode(encoded)
