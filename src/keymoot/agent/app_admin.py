"""The admin's side of an app: create it, say what may be an instance, take it away.

admin = AppAdmin(network, key)
app = admin.create(AppPolicy(measurements=(built,), vendors=("tdx",)))
admin.update(app, policy=replace(admin.show(app).policy, measurements=(built, next)))
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from keymoot.agent.app_views import AppView, AppViews
from keymoot.agent.network import Network
from keymoot.agent.owner import Confirmation, confirmation_of
from keymoot.agent.processes import stays_here
from keymoot.agent.submission import quantity
from keymoot.base.fixed import Address, AppId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.contracts.builtin.apps.contract import BY_PLACE, Apps
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import NOBODY, Entries
from keymoot.crypto import secp256k1
from keymoot.crypto.oasis import app_by_place, native_address

_NO_ENTRIES: Final[Mapping[str, bytes]] = MappingProxyType({})


class AppAdmin(AppViews):
    """One admin's key at work; what is refused raises TransactionFailed or NetworkRefused."""

    def __init__(self, network: Network, key: Secret) -> None:
        """Take the network, and the key from a keystore; see `keystore.load`."""
        super().__init__(network)
        self._key = key
        self.address = secp256k1.address_of_secret(key)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the admin's key."""
        stays_here("an app's admin", "load the key from its keystore (keystore.load)")

    def create(self, policy: AppPolicy, metadata: Mapping[str, bytes] = _NO_ENTRIES) -> AppId:
        """Create an app; give its id, which follows from its place in the ledger."""
        told = Entries(metadata).encode()
        receipt = self.network.send(
            self._key, "create", BY_PLACE, policy.encode(), told, contract=Apps
        )
        height = Height(quantity(receipt["blockNumber"]))
        return app_by_place(
            native_address(self.address), height, quantity(receipt["transactionIndex"])
        )

    def update(
        self,
        app: AppId,
        *,
        policy: AppPolicy | None = None,
        admin: Address | None = None,
        metadata: Mapping[str, bytes] | None = None,
        secrets: Mapping[str, bytes] | None = None,
        seen: AppView | None = None,
    ) -> Confirmation:
        """Replace what is given; the rest stays as it is now.

        Args:
            app: Which app.
            policy: Who may be an instance; whoever it does not name is out at once.
            admin: Who may change the app from now on; see `freeze` for nobody.
            metadata: For whoever looks at it.
            secrets: Envelopes by name, sealed to the app.
            seen: The app as whoever decided this saw it; None to look now.

        Raises:
            TransactionFailed: STALE_APP: somebody changed it since; NOT_ADMIN.
        """
        now = self.show(app) if seen is None else seen
        receipt = self.network.send(
            self._key,
            "update",
            app,
            now.version,
            now.admin if admin is None else admin,
            (now.policy if policy is None else policy).encode(),
            Entries(now.metadata if metadata is None else metadata).encode(),
            Entries(now.secrets if secrets is None else secrets).encode(),
            contract=Apps,
        )
        return confirmation_of(receipt)

    def freeze(self, app: AppId) -> Confirmation:
        """Let nobody change the app any more, ever."""
        return self.update(app, admin=NOBODY)

    def remove(self, app: AppId) -> Confirmation:
        """Take the app away; its instances are out at once."""
        return confirmation_of(self.network.send(self._key, "remove", app, contract=Apps))

    def evict(self, app: AppId, key: Address) -> Confirmation:
        """Put one instance out, for ever."""
        return confirmation_of(self.network.send(self._key, "evict", app, key, contract=Apps))
