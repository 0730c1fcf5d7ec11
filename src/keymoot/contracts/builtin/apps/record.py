"""What Apps keeps of an app and of each instance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, ClassVar

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, AppId, Bytes32, Measurement
from keymoot.base.forms import U64, AtMost
from keymoot.base.record import Record
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.builtin.apps.policy import AppPolicy

MAX_ENTRIES = 64
MAX_NAME_BYTES = 1_024
MAX_VALUE_BYTES = 16_384
MAX_ENTRIES_BYTES = 28_672
"""Bytes of all entries together: two such and a policy fit into one transaction."""

MAX_SEATS = 64
"""Live instances of an app that demands a mix of makers."""

NOBODY = Address(bytes(Address.LENGTH))


@dataclass(frozen=True, slots=True)
class App(Record):
    """An app, as it is read whenever one of its instances asks for something.

    Attributes:
        creator: Who created it.
        admin: Who may change it; NOBODY: no one, ever.
        policy: Who may be an instance.
        version: How often it was changed, from 1.
        since: The version that last demanded something new of evidence: who registered under
            an earlier one registers anew.
        secrets_key: X25519 key to which its secrets are sealed.
        removed: It was taken away; its name stays taken.
    """

    REMEMBERED: ClassVar[int] = 1_024

    creator: Address
    admin: Address
    policy: AppPolicy
    version: U64
    since: U64
    secrets_key: Bytes32
    created_at: UnixSeconds
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Instance(Record):
    """A running enclave that has shown what it is, under the address of its signing key.

    Attributes:
        encryption: Its X25519 key.
        measurement: What code it runs.
        vendor: Who vouches for that.
        version: Of the app, when it registered last.
        registered_at: Time of the block in which it registered last.
        expires_at: Last second at which that counts.
        block: Height of the block that its evidence named; the next one names a later block.
        evicted: The app's admin has put it out, for ever.
    """

    REMEMBERED: ClassVar[int] = 4_096

    app: AppId
    encryption: Bytes32
    measurement: Measurement
    vendor: Annotated[str, AtMost(32)]
    version: U64
    registered_at: UnixSeconds
    expires_at: UnixSeconds
    block: Height
    evicted: bool = False

    def ended(self, now: UnixSeconds) -> "Instance":
        """Give the registration as it is when it ends before `now`, if it has not ended yet."""
        return replace(self, expires_at=min(self.expires_at, UnixSeconds(now - 1)))


@dataclass(frozen=True, slots=True)
class SeatedInstances(Record):
    """Keys of the live instances of an app that demands a mix of makers, as they came."""

    seats: Annotated[tuple[Address, ...], AtMost(MAX_SEATS)] = ()


@dataclass(frozen=True, slots=True)
class Entries(Record):
    """Metadata of an app or an instance, or an app's sealed secrets, by name."""

    MAX_BYTES = MAX_ENTRIES_BYTES

    entries: Annotated[
        Mapping[Annotated[str, AtMost(MAX_NAME_BYTES)], Annotated[bytes, AtMost(MAX_VALUE_BYTES)]],
        AtMost(MAX_ENTRIES),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.encode()) > MAX_ENTRIES_BYTES:
            raise Malformed(f"entries have at most {MAX_ENTRIES_BYTES} bytes together")
