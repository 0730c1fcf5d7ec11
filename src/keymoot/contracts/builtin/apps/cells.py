"""The cells of Apps."""

from keymoot.attest.vendors import Posted
from keymoot.base.fixed import Address, AppId, Bytes32
from keymoot.contracts.builtin.apps.errors import AppRemoved, NoSuchApp
from keymoot.contracts.builtin.apps.record import App, Entries, Instance, SeatedInstances
from keymoot.contracts.framework.cells import ConfidentialMap, PublicMap
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import Contract
from keymoot.store.public import PublicStore


def posted_on(store: PublicStore) -> Posted:
    """Give what vendors publish, as it was posted, from a store of Apps."""
    return Posted(
        lambda name: AppCells.amd_chains.get(store, name),
        lambda name: AppCells.intel_lists.get(store, name),
    )


class AppCells(Contract):
    """All state of all apps; what is sealed to an app is opened by a key in a sealed cell."""

    apps = PublicMap("app", AppId, App)
    instances = PublicMap("instance", Address, Instance)
    seats = PublicMap("seats", AppId, SeatedInstances)
    metadata = PublicMap("metadata", AppId, Entries)
    secrets = PublicMap("secrets", AppId, Entries)
    instance_metadata = PublicMap("instance-metadata", Address, Entries)
    amd_chains = PublicMap("amd-chain", bytes, bytes)
    """What AMD publishes, by the name of the signing key (DER)."""

    intel_lists = PublicMap("intel-lists", bytes, bytes)
    """What Intel publishes, by the kind of machine that it is for."""

    secrets_keys = ConfidentialMap("secrets-key", AppId, Bytes32)

    def known(self, ctx: Context, app: AppId) -> App:
        """Give an app that stands; NoSuchApp or AppRemoved where there is none."""
        record = self.apps.get(ctx.public_store(), app)
        if record is None:
            raise NoSuchApp(app)
        if record.removed:
            raise AppRemoved(app)
        return record
