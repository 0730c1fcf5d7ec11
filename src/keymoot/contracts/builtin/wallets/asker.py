"""Who may ask a wallet: a credential that its owner granted, or an instance of such an app.

An instance counts as long as its app admits it, whichever block registered it: that is looked
up whenever it asks, whenever what it asked is bound, and whenever an answer leaves.
"""

from dataclasses import dataclass

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import NotRegistered
from keymoot.contracts.builtin.apps.record import Instance
from keymoot.contracts.builtin.apps.standing import instance_of
from keymoot.contracts.builtin.wallets.cells import WalletCells
from keymoot.contracts.builtin.wallets.record import AskingInstance
from keymoot.contracts.builtin.wallets.wallet import GrantedCredential
from keymoot.contracts.framework.context import Context
from keymoot.store.public import PublicStore


class AppNotGranted(Refused, code="APP_NOT_GRANTED"):
    """The wallet's owner has not granted that app, not any more, or not for so long."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A key that may ask a wallet now.

    Attributes:
        expires_at: Last second at which it may.
        instance: What it is an instance of; None for a credential.
    """

    expires_at: UnixSeconds
    instance: AskingInstance | None = None


def credential_or_instance(
    wallets: PublicStore, apps: PublicStore, wallet: WalletId, key: Address, now: UnixSeconds
) -> GrantedCredential | Asker | None:
    """Give the credential with a key, whether or not it counts; else the instance, which does.

    None: nobody knows the key.

    Raises:
        AppNotGranted: the app of that instance may not ask this wallet.
        ContractError: the instance does not count any more; see `instance_of`.
    """
    credential = WalletCells.credentials.get(wallets, wallet + key)
    if credential is not None:
        return credential
    try:
        instance = instance_of(apps, key, now)
    except NotRegistered:
        return None
    grant = WalletCells.app_grants.get(wallets, wallet + instance.app)
    return _granted(instance, grant, now)


def asker_of(cells: WalletCells, ctx: Context, wallet: WalletId, key: Address) -> Asker | None:
    """Give the instance that has a key, from within Wallets; None where none is known by it.

    Raises:
        AppNotGranted, ContractError: as `credential_or_instance`.
    """
    try:
        standing = ctx.call(Apps.standing, key)
    except NotRegistered:
        return None
    grant = cells.app_grants.get(ctx.public_store(), wallet + standing.app)
    return _granted(standing, grant, ctx.block.time)


def _granted(instance: Instance, grant: GrantedCredential | None, now: UnixSeconds) -> Asker:
    app = instance.app.text
    if grant is None:
        raise AppNotGranted(
            f"this wallet is not granted to {app}: its owner can do so (`keymoot wallet grant --app`)"
        )
    if grant.revoked:
        raise AppNotGranted(f"the wallet's owner took it back from {app}")
    if now > grant.expires_at:
        raise AppNotGranted(f"what the wallet's owner granted {app} has expired")
    until = min(grant.expires_at, instance.expires_at)
    return Asker(until, AskingInstance(instance.app, instance.measurement))
