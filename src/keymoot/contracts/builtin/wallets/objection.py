"""What speaks against binding a request that was decided before: its owner has changed her mind.

A request may wait for stock, or be asked again, ten minutes after it was decided. By then
the wallet may be paused, the credential gone, or the policy another. An owner's withdrawal
is under none of these.
"""

from dataclasses import dataclass
from typing import TypeAlias

from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.asker import AppNotGranted, Asker, asker_of
from keymoot.contracts.builtin.wallets.cells import WalletCells
from keymoot.contracts.builtin.wallets.queue import Waiting
from keymoot.contracts.builtin.wallets.record import OWNER, RequestRecord
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.errors import ContractError

Decided: TypeAlias = RequestRecord | Waiting
"""A request that was decided: its record, or what stands for it in the queue."""


@dataclass(frozen=True, slots=True)
class Objection:
    """A stable word, and for people what happened and what to do."""

    reason: str
    why: str


def objection(cells: WalletCells, ctx: Context, decided: Decided) -> Objection | None:
    if decided.kind == OWNER:
        return None
    # 1. Its wallet is not paused.
    wallet = cells.known(ctx, decided.wallet)
    if wallet.paused:
        return Objection("PAUSED", "the wallet is paused: once its owner resumes it, " + _ASK)
    # 2. Its credential still counts.
    credential = cells.credential_of(ctx, decided.wallet, decided.requester)
    if credential is None:
        try:
            asker = asker_of(cells, ctx, decided.wallet, decided.requester)
        except (AppNotGranted, ContractError) as error:
            return Objection(error.code, str(error))
    else:
        asker = Asker(credential.expires_at)
    if asker is None or (credential is not None and credential.revoked):
        why = "the credential was revoked by the wallet's owner: ask with one that is granted"
        return Objection("CREDENTIAL_REVOKED", why)
    if UnixSeconds(ctx.block.time) > asker.expires_at:
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
