"""The record of one request: what was asked, what was decided. It is never forgotten.

A record is at once the entry of the wallet's log and the memory that makes a retry
harmless: the same id with the same body finds it again.
"""

from dataclasses import dataclass
from typing import Annotated, cast

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, AppId, Bytes32, Hash32, Measurement, RequestId, WalletId
from keymoot.base.forms import LATER, U64, AtMost, Check
from keymoot.base.record import Record
from keymoot.base.request import MAX_METHOD_BYTES, MAX_PAYLOAD_BYTES
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.nonces.record import MAX_COMMITMENTS_BYTES

BOUND, REFUSED, QUEUED = "bound", "refused", "queued"
"""What became of it. QUEUED may still turn into the others; it stays where time ran out first."""

AGENT, OWNER = "request", "withdrawal"
"""Who asked: a credential under the policy, or the owner to the recovery address."""

MAX_OUTCOME_BYTES = 131_072


def _status(word: str) -> None:
    if word not in (BOUND, REFUSED, QUEUED):
        raise Malformed("a record is bound, queued or refused")


def _kind(word: str) -> None:
    if word not in (AGENT, OWNER):
        raise Malformed("a record is of an agent or an owner")


@dataclass(frozen=True, slots=True)
class AskingInstance(Record):
    """The instance of an app that asked, by whose right, and what code it ran."""

    app: AppId
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class RequestRecord(Record):
    """One request and its outcome.

    Attributes:
        index: Its place in the wallet's log, from 0.
        requester: The credential, or the owner.
        kind: AGENT or OWNER.
        body: Digest of the signed body; the same id with another body is refused.
        payload: What was to be signed.
        digest: What is signed at release, or names what is (Keccak-256 of the message that
            an Ed25519 key signs); zeros where it was refused.
        outcome: JSON: the decoded wish when bound, the error object when refused.
        bound_to: Name of the presignature it is bound to, or the list of its signers and
            their commitments; empty in Vault's custody, and while the request waits.
        without: Seats that the requester found silent, 8 bytes; empty where there are none.
        bound_at: The height under whose certificate it is answered; 0 where there is none.
        asked_by: The app whose instance asked, and its measurement; None for a credential.
    """

    wallet: WalletId
    index: U64
    requester: Address
    kind: Annotated[str, AtMost(16), Check(_kind)]
    request_id: RequestId
    body: Hash32
    height: Height
    time: UnixSeconds
    expires_at: UnixSeconds
    status: Annotated[str, AtMost(16), Check(_status)]
    method: Annotated[str, AtMost(MAX_METHOD_BYTES)]
    payload: Annotated[bytes, AtMost(MAX_PAYLOAD_BYTES)]
    digest: Hash32
    reply_key: Bytes32
    policy_version: U64
    rule: Annotated[str, AtMost(48)]
    outcome: Annotated[bytes, AtMost(MAX_OUTCOME_BYTES)]
    bound_to: Annotated[bytes, AtMost(MAX_COMMITMENTS_BYTES)] = b""
    bound_at: Height = Height(0)
    without: Annotated[bytes, AtMost(8)] = b""
    asked_by: Annotated[AskingInstance | None, LATER] = None

    def outcome_json(self) -> dict[str, Json]:
        return cast("dict[str, Json]", parse(self.outcome, MAX_OUTCOME_BYTES))

    def to_json(self) -> bytes:
        shown: dict[str, Json] = {
            "index": self.index,
            "height": self.height,
            "time": self.time,
            "kind": self.kind,
            "requester": self.requester.hex0x,
            "requestId": self.request_id.hex0x,
            "method": self.method,
            "status": self.status,
            "policyVersion": self.policy_version,
            "expiresAt": self.expires_at,
        }
        if self.asked_by is not None:
            shown["app"] = self.asked_by.app.text
            shown["measurement"] = self.asked_by.measurement.hex0x
        if self.status != REFUSED:
            shown |= {"rule": self.rule, "digest": self.digest.hex0x}
            shown["decoded"] = self.outcome_json()
        else:
            shown["refusal"] = self.outcome_json()
        return canonical(shown)
