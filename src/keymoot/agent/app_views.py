"""What anyone may read of apps and their instances, all of it proved."""

from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.agent.network import Network
from keymoot.base.fixed import Address, AppId, Bytes32, Measurement
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import AppRemoved, NoSuchApp, NotRegistered
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import App, Entries, Instance
from keymoot.contracts.builtin.apps.standing import check_live, expiry_of
from keymoot.contracts.framework.errors import ContractError
from keymoot.store.header import Header
from keymoot.store.public import public_slot


@dataclass(frozen=True, slots=True)
class AppView:
    """An app as a certified state has it.

    Attributes:
        header: The block after which it stands like this.
        admin: Who may change it; zeros where nobody may.
        version: How often it was changed, from 1.
        secrets_key: X25519 key to which its secrets are sealed.
        secrets: Sealed envelopes by name.
    """

    header: Header
    app: AppId
    creator: Address
    admin: Address
    policy: AppPolicy
    version: int
    secrets_key: Bytes32
    created_at: UnixSeconds
    removed: bool
    metadata: Mapping[str, bytes]
    secrets: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class InstanceView:
    """An instance as a certified state has it.

    Attributes:
        header: The block after which it stands like this.
        key: Address of its signing key.
        encryption: Its X25519 key.
        expires_at: Last second at which its registration counts.
        objection: Code of what speaks against it, as the refusal of its requests; empty where
            it counts.
    """

    header: Header
    app: AppId
    key: Address
    encryption: Bytes32
    measurement: Measurement
    vendor: str
    registered_at: UnixSeconds
    expires_at: UnixSeconds
    metadata: Mapping[str, bytes]
    objection: str


class AppViews:
    """Reads apps of one network."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def show(self, app: AppId) -> AppView:
        """Give an app; NoSuchApp where it is proved that there is none."""
        keys = [cell.slot_key(app) for cell in (Apps.apps, Apps.metadata, Apps.secrets)]
        header, (raw, metadata, secrets) = self._cells(keys)
        if raw is None:
            raise NoSuchApp(app)
        record = App.decode(raw)
        return AppView(
            header,
            app,
            record.creator,
            record.admin,
            record.policy,
            record.version,
            record.secrets_key,
            record.created_at,
            record.removed,
            _entries(metadata),
            _entries(secrets),
        )

    def instance(self, key: Address) -> InstanceView:
        """Give an instance, whether or not it counts; NotRegistered where there is none.

        It counts as of the newest certified block's time.
        """
        cells = (Apps.instances, Apps.instance_metadata)
        _, (raw, metadata) = self._cells([cell.slot_key(key) for cell in cells])
        if raw is None:
            raise NotRegistered(key)
        record = Instance.decode(raw)
        header, (of_app,) = self._cells([Apps.apps.slot_key(record.app)])
        app = None if of_app is None else App.decode(of_app)
        return InstanceView(
            header,
            record.app,
            key,
            record.encryption,
            record.measurement,
            record.vendor,
            record.registered_at,
            record.expires_at if app is None else expiry_of(app, record),
            _entries(metadata),
            AppRemoved.code if app is None else _objection(app, record, header.time),
        )

    def _cells(self, keys: list[bytes]) -> tuple[Header, list[bytes | None]]:
        header, storage = self.network.cells(Apps.ADDRESS, [public_slot(key) for key in keys])
        return header, [storage.cell(key) for key in keys]


def _entries(raw: bytes | None) -> Mapping[str, bytes]:
    return {} if raw is None else Entries.decode(raw).entries


def _objection(app: App, instance: Instance, now: UnixSeconds) -> str:
    try:
        check_live(app, instance, now)
    except ContractError as error:
        return error.code
    return ""
