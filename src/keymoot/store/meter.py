"""Who is charged when a contract reads or writes."""

from typing import Protocol


class Meter(Protocol):
    """Charges gas for store accesses; raises when none is left."""

    def charge_read(self, size_bytes: int, *, warm: bool, confidential: bool) -> None: ...

    def charge_write(self, size_bytes: int, *, warm: bool, confidential: bool) -> None:
        """0 bytes is a removal."""
        ...


class FreeMeter:
    """Charges nothing: for a node's own reads and for tests."""

    def charge_read(self, size_bytes: int, *, warm: bool, confidential: bool) -> None:
        """Charge nothing."""

    def charge_write(self, size_bytes: int, *, warm: bool, confidential: bool) -> None:
        """Charge nothing."""
