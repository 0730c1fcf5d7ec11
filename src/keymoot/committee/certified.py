"""A certified header: the block, and everything before it, is the network's.

A certificate is a BLS signature over the block's hash under a key that never changes, the
network's verifying key. Two certificates of one height in one generation would need two sets
of enclaves that share an honest one; a recovery makes another generation, so whoever verifies
remembers the newest header that it has seen.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.forms import ENCODED, Exactly
from keymoot.base.record import Record
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


class NotCertified(Refused, code="NOT_CERTIFIED"):
    """The signature is not the network's over this header."""

    def __init__(self, height: Height) -> None:
        super().__init__(
            f"the certificate of block {height} is not good under the network's verifying key: "
            "ask another node, and check that the key is this network's"
        )


@dataclass(frozen=True, slots=True)
class CertifiedHeader(Record):
    """A header and what claims to be its certificate, a point of G1; `verify` tells."""

    header: Annotated[Header, ENCODED]
    signature: Annotated[bytes, Exactly(SIGNATURE_BYTES)]

    def __post_init__(self) -> None:
        if len(self.signature) != SIGNATURE_BYTES:
            raise Malformed(
                f"a certificate has {SIGNATURE_BYTES} bytes, got {len(self.signature)}", "signature"
            )

    def message(self, network: NetworkId) -> bytes:
        header = self.header
        return certificate_message(network, header.generation, header.height, header.hash)


def certificate_message(
    network: NetworkId, generation: Hash32, height: Height, block: Hash32
) -> bytes:
    """`generation` is the one after the block, as its header says."""
    return framed(_TAG, network, generation, height.to_bytes(8, "big"), block)


def verify(verifying_key: bytes, network: NetworkId, certified: CertifiedHeader) -> None:
    """Raise NotCertified, or BadPoint where the key is no point; it has 96 bytes."""
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
