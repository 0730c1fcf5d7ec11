"""What an app demands of whoever would be an instance of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from keymoot.attest.quorum import MAKERS
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.forms import U32, U64, AtMost, Check, rises
from keymoot.base.record import Record
from keymoot.base.units import Seconds

MAX_POLICY_BYTES = 8_192
MAX_MEASUREMENTS = 32
MAX_CHIPS = 32
MAX_ENDORSERS = 32
MIN_LIFETIME, MAX_LIFETIME = Seconds(60), Seconds(7 * 86_400)

_WORD = 32
"""Bytes of a vendor's word at most: a status, an advisory, a part of a TCB."""


def _lifetime(seconds: Seconds) -> None:
    if not MIN_LIFETIME <= seconds <= MAX_LIFETIME:
        raise Malformed(f"a registration lives {MIN_LIFETIME} to {MAX_LIFETIME} s, got {seconds}")


def _known(vendors: Sequence[str]) -> None:
    if unknown := [vendor for vendor in vendors if vendor not in MAKERS]:
        raise Malformed(f"vendors are {', '.join(MAKERS)}; {len(unknown)} others are named")


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
    vendors: Annotated[
        tuple[Annotated[str, AtMost(_WORD)], ...], AtMost(len(MAKERS)), Check(rises), Check(_known)
    ] = ()
    lifetime_seconds: Annotated[Seconds, Check(_lifetime)] = Seconds(7_200)
    raw_keys: bool = True
    tcb_statuses: Annotated[tuple[Annotated[str, AtMost(_WORD)], ...], AtMost(8), Check(rises)] = (
        "UpToDate",
    )
    advisories: Annotated[tuple[Annotated[str, AtMost(_WORD)], ...], AtMost(32), Check(rises)] = ()
    tcb_parts: Annotated[Mapping[Annotated[str, AtMost(_WORD)], U64], AtMost(16)] = field(
        default_factory=dict
    )
    chips: Annotated[tuple[Annotated[bytes, AtMost(64)], ...], AtMost(MAX_CHIPS), Check(rises)] = ()
    endorsers: Annotated[tuple[Bytes32, ...], AtMost(MAX_ENDORSERS), Check(rises)] = ()
    most_per_maker: U32 = 0

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
