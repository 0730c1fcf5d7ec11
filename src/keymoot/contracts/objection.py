"""What speaks against binding a request that was decided before: its owner has changed her mind.

A request may wait for stock, or be asked again, ten minutes after it was decided. By then
the wallet may be paused, the credential gone, or the policy another. An owner's withdrawal
is under none of these.
"""

from dataclasses import dataclass
from typing import Protocol

from keymoot.base.fixed import Address, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.contracts.context import Context
from keymoot.contracts.record import OWNER
from keymoot.contracts.wallet_cells import WalletCells


class Decided(Protocol):
    """A request that was decided: its record, or what stands for it in the queue."""

    @property
    def wallet(self) -> WalletId:
        """Whose key it asks for."""
        ...

    @property
    def requester(self) -> Address:
        """The credential, or the owner."""
        ...

    @property
    def kind(self) -> str:
        """AGENT or OWNER."""
        ...

    @property
    def policy_version(self) -> int:
        """The version of the policy that allowed it."""
        ...


@dataclass(frozen=True, slots=True)
class Objection:
    """One of them.

    Attributes:
        reason: A stable word.
        why: What happened, and what to do.
    """

    reason: str
    why: str


def objection(cells: WalletCells, ctx: Context, decided: Decided) -> Objection | None:
    """Give what speaks against binding it now; None where nothing does."""
    if decided.kind == OWNER:
        return None
    # 1. Its wallet is not paused.
    wallet = cells.known(ctx, decided.wallet)
    if wallet.paused:
        return Objection("PAUSED", "the wallet is paused: once its owner resumes it, " + _ASK)
    # 2. Its credential still counts.
    credential = cells.credential_of(ctx, decided.wallet, decided.requester)
    if credential is None or credential.revoked:
        why = "the credential was revoked by the wallet's owner: ask with one that is granted"
        return Objection("CREDENTIAL_REVOKED", why)
    if UnixSeconds(ctx.block.time) > credential.expires_at:
        why = "the credential has expired: once its owner grants it anew, " + _ASK
        return Objection("CREDENTIAL_EXPIRED", why)
    # 3. The policy that allowed it still stands. Whether the new one allows it too is for a new
    #    request to find out: what this one reserved was measured by limits that are gone.
    if decided.policy_version != wallet.policy_version:
        why = (
            f"version {decided.policy_version} of the policy allowed this, and version "
            f"{wallet.policy_version} stands by now: " + _ASK
        )
        return Objection("POLICY_CHANGED", why)
    return None


_ASK = "ask with a new id"
