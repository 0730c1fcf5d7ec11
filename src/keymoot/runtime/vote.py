"""What a replica gives for a block that it has executed; enough of them certify it."""

from dataclasses import dataclass
from typing import Annotated

from keymoot.base.fixed import Hash32
from keymoot.base.forms import Exactly
from keymoot.base.record import Record
from keymoot.committee import certified
from keymoot.crypto import ed25519


@dataclass(frozen=True, slots=True)
class Vote(Record):
    """What a replica gives for a block.

    Attributes:
        hash: The block's hash, as it computed it.
        share: Its share of the certificate, 48 bytes; empty while it may not sign.
        founding: Its signature under the founding record, 64 bytes; empty where none is due.
    """

    hash: Hash32
    share: Annotated[bytes, Exactly(0, certified.SIGNATURE_BYTES)] = b""
    founding: Annotated[bytes, Exactly(0, ed25519.SIGNATURE_BYTES)] = b""
