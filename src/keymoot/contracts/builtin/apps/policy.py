"""What an app demands of whoever would be an instance of it."""

from dataclasses import dataclass, field, replace
from typing import Annotated

from keymoot.attest.claims import UP_TO_DATE
from keymoot.attest.machines import (
    Advisories,
    Chips,
    MachineDemands,
    TcbParts,
    TcbStatuses,
    Vendors,
)
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.forms import U32, AtMost, Check, rises
from keymoot.base.record import Record
from keymoot.base.units import Seconds

MAX_POLICY_BYTES = 8_192
MAX_MEASUREMENTS = 32
MAX_ENDORSERS = 32
MIN_LIFETIME, MAX_LIFETIME = Seconds(60), Seconds(7 * 86_400)


def _lifetime(seconds: Seconds) -> None:
    if not MIN_LIFETIME <= seconds <= MAX_LIFETIME:
        raise Malformed(f"a registration lives {MIN_LIFETIME} to {MAX_LIFETIME} s, got {seconds}")


@dataclass(frozen=True, slots=True)
class AppPolicy(Record):
    """An app's demands. By default nobody is let in.

    Attributes:
        measurements: What code may be an instance, in rising order.
        vendors: Who may vouch for one, in rising order; see `attest.quorum.MAKERS`.
        lifetime_seconds: How long a registration counts at most: who lives on, renews it.
        raw_keys: Whether an instance is given keys that are derived for the app. If not, only
            signatures of wallets are left, and nothing that could be carried away.
        tcb_statuses: What Intel may call a machine; of other vendors nothing is asked.
        advisories: Open advisories that do not matter here; Intel only.
        tcb_parts: How new each part of the vendor's code is at least; AMD only.
        chips: On which machines, as evidence names them; none asks nothing.
        endorsers: Ed25519 keys of nodes, one of which has to endorse; none asks nothing.
        most_per_maker: How many live instances one maker of enclaves may vouch for; 0 asks
            nothing. Where it asks, at most 64 live at one time.
    """

    MAX_BYTES = MAX_POLICY_BYTES

    measurements: Annotated[tuple[Measurement, ...], AtMost(MAX_MEASUREMENTS), Check(rises)] = ()
    vendors: Vendors = ()
    lifetime_seconds: Annotated[Seconds, Check(_lifetime)] = Seconds(7_200)
    raw_keys: bool = True
    tcb_statuses: TcbStatuses = (UP_TO_DATE,)
    advisories: Advisories = ()
    tcb_parts: TcbParts = field(default_factory=dict)
    chips: Chips = ()
    endorsers: Annotated[tuple[Bytes32, ...], AtMost(MAX_ENDORSERS), Check(rises)] = ()
    most_per_maker: U32 = 0

    @property
    def machines(self) -> MachineDemands:
        """What is asked of machines."""
        return MachineDemands(self.tcb_statuses, self.advisories, self.tcb_parts, self.chips)

    def outdates(self, earlier: "AppPolicy") -> bool:
        """Tell whether registrations under an earlier policy may be such as this one refuses.

        What is looked at whenever an instance is believed (code, vendor, lifetime) outdates none.
        """
        return _once(self) != _once(earlier)


def _once(policy: AppPolicy) -> bytes:
    """Give what is checked when an instance registers, and not again."""
    every_time = AppPolicy()
    return replace(
        policy,
        measurements=every_time.measurements,
        vendors=every_time.vendors,
        lifetime_seconds=every_time.lifetime_seconds,
        raw_keys=every_time.raw_keys,
    ).encode()
