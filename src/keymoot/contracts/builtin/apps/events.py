"""What Apps tells the world."""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.base.fixed import Address, AppId
from keymoot.base.units import UnixSeconds
from keymoot.contracts.framework.event import Event
from keymoot.contracts.framework.types import uint64


@dataclass(frozen=True, slots=True)
class AppCreated(Event):
    """An app was created."""

    INDEXED: ClassVar[tuple[str, ...]] = ("app", "admin")
    app: AppId
    admin: Address


@dataclass(frozen=True, slots=True)
class AppUpdated(Event):
    """An app was changed, and is at this version now."""

    INDEXED: ClassVar[tuple[str, ...]] = ("app",)
    app: AppId
    version: uint64


@dataclass(frozen=True, slots=True)
class AppTakenAway(Event):
    """An app was removed."""

    INDEXED: ClassVar[tuple[str, ...]] = ("app",)
    app: AppId


@dataclass(frozen=True, slots=True)
class InstanceRegistered(Event):
    """An instance showed what it runs, or did so anew; it counts until `expires_at`."""

    INDEXED: ClassVar[tuple[str, ...]] = ("app", "key")
    app: AppId
    key: Address
    measurement: bytes
    vendor: str
    expires_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class InstancePutOut(Event):
    """An instance was put out by its app's admin."""

    INDEXED: ClassVar[tuple[str, ...]] = ("app", "key")
    app: AppId
    key: Address


APP_EVENTS: tuple[type[Event], ...] = (
    AppCreated,
    AppTakenAway,
    AppUpdated,
    InstancePutOut,
    InstanceRegistered,
)
