"""Is this key an instance that counts now? Looked at whenever one asks, never swept.

So a policy that changes puts out ten thousand instances by one write, and an instance that
nobody asks about costs nothing.
"""

from dataclasses import replace

from keymoot.base.fixed import Address
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.cells import AppCells
from keymoot.contracts.builtin.apps.errors import (
    AppRemoved,
    InstanceEvicted,
    MeasurementEvicted,
    NotRegistered,
    PolicyTightened,
    RegistrationExpired,
)
from keymoot.contracts.builtin.apps.record import App, Instance
from keymoot.store.public import PublicStore


def instance_of(store: PublicStore, key: Address, now: UnixSeconds) -> Instance:
    """Give the live instance that has a key, from the store of Apps.

    Its `expires_at` is as the app's policy has it now.

    Raises:
        NotRegistered, AppRemoved, InstanceEvicted, MeasurementEvicted, PolicyTightened,
        RegistrationExpired: it does not count; the class says what to do.
    """
    instance = AppCells.instances.get(store, key)
    if instance is None:
        raise NotRegistered(key)
    app = AppCells.apps.get(store, instance.app)
    if app is None:
        raise AppRemoved(instance.app)
    until = check_live(app, instance, now)
    return instance if until == instance.expires_at else replace(instance, expires_at=until)


def check_live(app: App, instance: Instance, now: UnixSeconds) -> UnixSeconds:
    """Give the last second at which an instance counts, or raise as `instance_of` does."""
    # 1. The app stands, and its admin has not put the instance out.
    if app.removed:
        raise AppRemoved(instance.app)
    if instance.evicted:
        raise InstanceEvicted
    # 2. Its code and vendor are admitted now.
    policy = app.policy
    if instance.measurement not in policy.measurements or instance.vendor not in policy.vendors:
        raise MeasurementEvicted
    # 3. What was asked of its evidence is all that is asked now.
    if instance.version < app.since:
        raise PolicyTightened
    # 4. It was renewed in time.
    until = expiry_of(app, instance)
    if now > until:
        raise RegistrationExpired(until)
    return until


def expiry_of(app: App, instance: Instance) -> UnixSeconds:
    """Give the last second at which a registration counts, should the lifetime be shorter now."""
    most = UnixSeconds(instance.registered_at + app.policy.lifetime_seconds)
    return min(instance.expires_at, most)
