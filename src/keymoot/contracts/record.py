"""The record of one request: what was asked, what was decided. It is never forgotten.

A record is at once the entry of the wallet's log and the memory that makes a retry
harmless: the same id with the same body finds it again.
"""

from dataclasses import dataclass
from typing import cast

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Address, Bytes32, Hash32, RequestId, WalletId
from keymoot.base.request import MAX_METHOD_BYTES, MAX_PAYLOAD_BYTES
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.slot import MAX_SLOTS_BYTES

BOUND, REFUSED, QUEUED = "bound", "refused", "queued"
"""What became of it. QUEUED may still turn into the others; it stays where time ran out first."""

AGENT, OWNER = "request", "withdrawal"
"""Who asked: a credential under the policy, or the owner to the recovery address."""

MAX_OUTCOME_BYTES = 131_072


@dataclass(frozen=True, slots=True)
class Record:
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
    """

    wallet: WalletId
    index: int
    requester: Address
    kind: str
    request_id: RequestId
    body: Hash32
    height: Height
    time: UnixSeconds
    expires_at: UnixSeconds
    status: str
    method: str
    payload: bytes
    digest: Hash32
    reply_key: Bytes32
    policy_version: int
    rule: str
    outcome: bytes
    bound_to: bytes = b""
    bound_at: Height = Height(0)
    without: bytes = b""

    def outcome_json(self) -> dict[str, Json]:
        """Give the outcome as JSON."""
        return cast("dict[str, Json]", parse(self.outcome, MAX_OUTCOME_BYTES))

    def encode(self) -> bytes:
        """Give the cell's bytes."""
        return rlp.encode(
            [
                self.wallet,
                uint(self.index),
                self.requester,
                self.kind.encode(),
                self.request_id,
                self.body,
                uint(self.height),
                uint(self.time),
                uint(self.expires_at),
                self.status.encode(),
                self.method.encode(),
                self.payload,
                self.digest,
                self.reply_key,
                uint(self.policy_version),
                self.rule.encode(),
                self.outcome,
                self.bound_to,
                uint(self.bound_at),
                self.without,
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Record":
        """Read the cell's bytes.

        Raises:
            Malformed: not a record.
        """
        fields = list_of(rlp.decode(raw), 20, "record")
        status, kind = text_of(fields[9], "status", 16), text_of(fields[3], "kind", 16)
        if status not in (BOUND, REFUSED, QUEUED) or kind not in (AGENT, OWNER):
            raise Malformed(
                "a record is bound, queued or refused, of an agent or an owner", "record"
            )
        return Record(
            wallet=fixed_of(fields[0], WalletId, "wallet"),
            index=uint_of(fields[1], "index", 8),
            requester=fixed_of(fields[2], Address, "requester"),
            kind=kind,
            request_id=fixed_of(fields[4], RequestId, "requestId"),
            body=fixed_of(fields[5], Hash32, "body"),
            height=Height(uint_of(fields[6], "height", 8)),
            time=UnixSeconds(uint_of(fields[7], "time", 8)),
            expires_at=UnixSeconds(uint_of(fields[8], "expiresAt", 8)),
            status=status,
            method=text_of(fields[10], "method", MAX_METHOD_BYTES),
            payload=bytes_of(fields[11], "payload", MAX_PAYLOAD_BYTES),
            digest=fixed_of(fields[12], Hash32, "digest"),
            reply_key=fixed_of(fields[13], Bytes32, "replyKey"),
            policy_version=uint_of(fields[14], "policyVersion", 8),
            rule=text_of(fields[15], "rule", 48),
            outcome=bytes_of(fields[16], "outcome", MAX_OUTCOME_BYTES),
            bound_to=bytes_of(fields[17], "boundTo", MAX_SLOTS_BYTES),
            bound_at=Height(uint_of(fields[18], "boundAt", 8)),
            without=bytes_of(fields[19], "without", 8),
        )

    def to_json(self) -> bytes:
        """Give the log's line: canonical JSON."""
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
        if self.status != REFUSED:
            shown |= {"rule": self.rule, "digest": self.digest.hex0x}
            shown["decoded"] = self.outcome_json()
        else:
            shown["refusal"] = self.outcome_json()
        return canonical(shown)
