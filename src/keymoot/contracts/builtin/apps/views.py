"""What anyone may read of apps, and what other contracts ask about instances."""

from keymoot.attest.vendors import machine_name, standing_of_lists
from keymoot.base.fixed import Address, AppId, Bytes32
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.cells import AppCells
from keymoot.contracts.builtin.apps.errors import ListsMissing, NotRegistered, RawKeysRefused
from keymoot.contracts.builtin.apps.record import Entries, Instance
from keymoot.contracts.builtin.apps.standing import instance_of
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import internal, view
from keymoot.contracts.framework.errors import Anonymous, ContractError
from keymoot.contracts.framework.types import uint8, uint64

LISTS_READ_GAS = 100_000
"""Gas for reading Intel's lists to see when they end."""


class AppQueries(AppCells):
    """Shows apps and instances; changes nothing."""

    @internal
    def standing(self, ctx: Context, key: Address) -> Instance:
        """Give the live instance that has a key; see `standing.instance_of` for what it raises."""
        return instance_of(ctx.public_store(), key, ctx.block.time)

    @internal
    def key_holder(self, ctx: Context, key: Address) -> AppId:
        """Give the app of a live instance, for keys that are derived for it.

        Raises:
            RawKeysRefused: the app gives none away; and as `standing.instance_of`.
        """
        app = self.standing(ctx, key).app
        if not self.known(ctx, app).policy.raw_keys:
            raise RawKeysRefused
        return app

    @internal
    def check_known(self, ctx: Context, app: AppId) -> None:
        """Raise NoSuchApp or AppRemoved unless an app stands."""
        self.known(ctx, app)

    @view
    def is_authorized_origin(self, ctx: Context, app: AppId) -> bool:
        """Tell whether a live instance of the app has signed the transaction that runs."""
        if ctx.origin is None:
            return False
        try:
            return instance_of(ctx.public_store(), ctx.origin, ctx.block.time).app == app
        except ContractError:
            return False

    @view
    def secrets_key(self, ctx: Context) -> Bytes32:
        """Give a live instance the key that opens its app's secrets, X25519.

        Raises:
            Anonymous: nobody has signed the question.
        """
        if ctx.sender is None:
            raise Anonymous
        instance = instance_of(ctx.public_store(), ctx.sender, ctx.block.time)
        secret = self.secrets_keys.get(ctx.confidential_store(), instance.app)
        return secret or Bytes32(bytes(Bytes32.LENGTH))

    @view
    def app(
        self, ctx: Context, app: AppId
    ) -> tuple[Address, Address, uint64, Bytes32, UnixSeconds, bytes]:
        """Give creator, admin, version, key for secrets, birth, and the encoded policy."""
        record = self.known(ctx, app)
        policy = record.policy.encode()
        return (
            record.creator,
            record.admin,
            record.version,
            record.secrets_key,
            record.created_at,
            policy,
        )

    @view
    def entries(self, ctx: Context, app: AppId) -> tuple[bytes, bytes]:
        """Give metadata and sealed secrets, encoded."""
        self.known(ctx, app)
        store = ctx.public_store()
        kept = self.metadata.get(store, app), self.secrets.get(store, app)
        metadata, secrets = [(listed or Entries()).encode() for listed in kept]
        return metadata, secrets

    @view
    def intel_standing(
        self, ctx: Context, kind: str, fmspc: str, authority: str
    ) -> tuple[uint8, str, UnixSeconds]:
        """Give what Intel's lists for a kind of machine are good for, why, and until when.

        0: all is well; 1: newer ones should be posted; 2: they ended, and no evidence of such
        machines is taken; 3: they begin later.
        """
        ctx.charge(LISTS_READ_GAS)
        raw = self.intel_lists.get(ctx.public_store(), machine_name(kind, fmspc, authority))
        if raw is None:
            raise ListsMissing(kind, fmspc, authority)
        standing, what, until = standing_of_lists(raw, ctx.block.time)
        return standing, what, until

    @view
    def instance(
        self, ctx: Context, key: Address
    ) -> tuple[AppId, Bytes32, bytes, str, UnixSeconds, bool]:
        """Give app, encryption key, measurement, vendor, expiry, and whether it counts now."""
        record = self.instances.get(ctx.public_store(), key)
        if record is None:
            raise NotRegistered(key)
        try:
            live = bool(instance_of(ctx.public_store(), key, ctx.block.time))
        except ContractError:
            live = False
        return (
            record.app,
            record.encryption,
            record.measurement,
            record.vendor,
            record.expires_at,
            live,
        )
