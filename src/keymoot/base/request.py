"""What an agent asks of a wallet: the ledger's own transaction type, 0x4b ("K").

An EIP-2718 transaction without nonce and gas price: its id, unique to the
credential that signs it, makes a retry harmless and lets a hundred requests race;
its expiry ends what a copy of it is good for. The network id in the signed bytes keeps it
from any other network.

    raw = 0x4b ‖ rlp([network, wallet, id, expires_at, method, payload, reply_key,
                      y_parity, r, s])
    signed digest = keccak256(0x4b ‖ rlp(the first seven fields))
"""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import (
    bytes_of,
    fixed_of,
    list_of,
    signature_fields,
    signature_of,
    text_of,
    uint,
    uint_of,
)
from keymoot.base.fixed import Bytes32, NetworkId, RequestId, Signature65, WalletId
from keymoot.base.units import Seconds, UnixSeconds

REQUEST_TYPE = 0x4B

MAX_PAYLOAD_BYTES = 65_536
"""Longest thing that one request may ask to be signed."""

MAX_METHOD_BYTES = 32

MAX_LIFETIME_SECONDS = Seconds(600)
"""How far ahead of the block's time a request may expire."""

REMEMBERED_SECONDS = Seconds(86_400)
"""How long after a request was decided it may be asked again for what it was allowed: a day.

Its id is never forgotten: the same id never asks for anything else.
"""

SIGN_TRANSACTION = "eth_signTransaction"
"""Method whose payload is an unsigned transaction (`EvmTransaction.unsigned_bytes`)."""

SIGN_MESSAGE = "personal_sign"
"""Method whose payload is the message of EIP-191, without its prefix."""

ASK_AGAIN = "keymoot_again"
"""Method whose payload is the name (32 bytes) of a request that was allowed, never answered."""

SIGN_TYPED_DATA = "eth_signTypedData_v4"
"""Method whose payload is the canonical JSON of EIP-712 typed data."""

SIGN_HYPERLIQUID = "hyperliquid_signAction"
"""Method whose payload is JSON of an action on the exchange Hyperliquid, with its nonce."""

SIGN_SOLANA_TRANSACTION = "solana_signTransaction"
"""Method whose payload is a message of Solana, legacy or version 0, as its signers sign it."""

SIGN_SOLANA_MESSAGE = "solana_signMessage"
"""Method whose payload is a text that an Ed25519 wallet signs as it is."""

_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One wish of an agent, before its credential signs it.

    Attributes:
        request_id: The credential's own name for it; the same id with the same body
            has the same answer, with another body it is refused.
        expires_at: Last ledger second at which it is accepted and released.
        method: What to sign: one of the SIGN_ names; others are refused, not malformed.
        payload: The thing to sign, as its method defines.
        reply_key: X25519 public key to which the answer is sealed.
    """

    network: NetworkId
    wallet: WalletId
    request_id: RequestId
    expires_at: UnixSeconds
    method: str
    payload: bytes
    reply_key: Bytes32

    def unsigned_bytes(self) -> bytes:
        """The bytes whose Keccak-256 the credential signs."""
        return bytes((REQUEST_TYPE,)) + rlp.encode(self._fields())

    def signed_bytes(self, signature: Signature65) -> bytes:
        ending = [uint(signature[64]), *signature_fields(signature)]
        return bytes((REQUEST_TYPE,)) + rlp.encode([*self._fields(), *ending])

    def _fields(self) -> list[rlp.Item]:
        return [
            self.network,
            self.wallet,
            self.request_id,
            uint(self.expires_at),
            self.method.encode(),
            self.payload,
            self.reply_key,
        ]


def decode_request(raw: bytes) -> tuple[Request, Signature65]:
    """Read a signed request, without recovering its credential."""
    if raw[:1] != bytes((REQUEST_TYPE,)):
        raise Malformed(f"a request starts with 0x{REQUEST_TYPE:02x}")
    fields = list_of(rlp.decode(raw[1:], max_items=_FIELDS), _FIELDS, "request")
    request = Request(
        network=fixed_of(fields[0], NetworkId, "network"),
        wallet=fixed_of(fields[1], WalletId, "wallet"),
        request_id=fixed_of(fields[2], RequestId, "id"),
        expires_at=UnixSeconds(uint_of(fields[3], "expiresAt", 8)),
        method=text_of(fields[4], "method", MAX_METHOD_BYTES),
        payload=bytes_of(fields[5], "payload", MAX_PAYLOAD_BYTES),
        reply_key=fixed_of(fields[6], Bytes32, "replyKey"),
    )
    return request, signature_of(uint_of(fields[7], "yParity", 1), fields[8:])
