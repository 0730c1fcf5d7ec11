"""What an enclave needs of the machine under it.

`simulated` is the one platform of this release. On hardware the same three things come
from the CPU: the measurement from TDX's MRTD or SEV-SNP's launch digest, the sealing key
from SNP's derived-key request or a TPM inside the TDX guest, the quote from the quoting
enclave or the secure processor. A platform for one of them implements this protocol;
nothing above it changes.
"""

from typing import Protocol

from keymoot.base.fixed import Measurement
from keymoot.base.secret import Secret


class Platform(Protocol):
    """The machine, as the enclave on it sees it."""

    @property
    def simulated(self) -> bool:
        """Whether this is no hardware, and every screen has to say so."""
        ...

    @property
    def measurement(self) -> Measurement: ...

    def sealing_key(self, purpose: str) -> Secret:
        """Give a key (32 bytes) that only this code on this machine gets."""
        ...

    def entropy(self, count: int) -> bytes:
        """Give so many bytes that nobody can guess."""
        ...

    def quote(self, report_data: bytes) -> bytes:
        """Give evidence that this code said `report_data` (64 bytes)."""
        ...
