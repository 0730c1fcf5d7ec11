"""The record of a request that is refused: the error that its asker reads, and the log keeps."""

from dataclasses import replace

from keymoot.base.errors import MAX_MESSAGE_BYTES
from keymoot.base.fixed import Hash32
from keymoot.base.shown import bounded
from keymoot.base.strict_json import Json, canonical
from keymoot.contracts.builtin.wallets.record import REFUSED, RequestRecord
from keymoot.contracts.builtin.wallets.wallet import Wallet
from keymoot.policy.errors import REFUSED_CODE
from keymoot.policy.names import written
from keymoot.policy.refusal import Refusal

NO_DIGEST = Hash32(bytes(32))
"""What a refused request has as its digest."""


def refused(record: RequestRecord, wallet: Wallet, refusal: Refusal) -> RequestRecord:
    """Give the record as it stands after a refusal.

    Its outcome names the policy that stands now; the record keeps the version that was asked.
    """
    data: dict[str, Json] = refusal.to_json()
    data |= {
        "requestId": record.request_id.hex0x,
        "wallet": written(wallet.account),
        "policyVersion": wallet.policy_version,
        "policyHash": wallet.policy_hash.hex0x,
    }
    decoded = data.get("decoded")
    if isinstance(decoded, dict) and "chain" in decoded:
        data["chain"] = decoded["chain"]
    message = bounded(refusal.message, MAX_MESSAGE_BYTES)
    error: Json = {"code": REFUSED_CODE, "message": message, "data": data}
    return replace(record, status=REFUSED, digest=NO_DIGEST, rule="", outcome=canonical(error))
