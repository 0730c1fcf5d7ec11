"""A query that its sender has signed, in the calldata of an ordinary `eth_call`.

Nobody signs an `eth_call`. So whoever wants to be known to the contract signs typed data
(EIP-712), and puts it with the signature where calldata goes:

    signedQuery(from, data, nonce, blockNumber, blockHash, blockRange, replyKey, signature)

What is signed names the network (its id is the domain's salt), the contract, the calldata inside
and the **leash**: the newest block that the sender knows, how many blocks later this still
counts, and the account's nonce, so that any transaction of the account ends it. It names the
reply key too: who carries the query cannot have the answer sealed to himself.
"""

from dataclasses import dataclass

from keymoot.base.abi.decode import BadEncoding, decode
from keymoot.base.abi.encode import encode
from keymoot.base.abi.kinds import parameters
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, Signature65
from keymoot.base.units import ChainId, Height, Nonce
from keymoot.crypto.keccak import keccak256, keccak256_raw
from keymoot.crypto.secp256k1 import recover

SIGNATURE = "signedQuery(address,bytes,uint64,uint64,bytes32,uint64,bytes32,bytes)"
SELECTOR = keccak256_raw(SIGNATURE.encode())[:4]

NO_REPLY_KEY = Bytes32(bytes(32))
"""The answer comes open, and whoever carries it can read it."""

REPLY_INFO = b"keymoot/query/v1"
"""What an answer is sealed for (HPKE's info, with the network's id behind it)."""

DOMAIN_NAME, DOMAIN_VERSION = "Keymoot query", "1"
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"
QUERY_TYPE = (
    "Query(address from,address to,bytes data,uint64 nonce,uint64 blockNumber,"
    "bytes32 blockHash,uint64 blockRange,bytes32 replyKey)"
)

ANSWER = "(bytes32,bytes,bytes)"
"""What a sealed query gives: the enclave's identity key, what is sealed, its signature.

It signs keccak256(network ‖ digest of the query ‖ sealed), with Ed25519.
"""

CONTENT = "(bool,uint64,bytes32,bytes,bytes)"
"""What is sealed: whether the call succeeded, number and hash of the block on whose state it
ran, what it returned (or reverted with), and padding."""

_KINDS = parameters(SIGNATURE)
_DOMAIN_KINDS = parameters("_(bytes32,bytes32,bytes32,uint256,bytes32)")
_QUERY_KINDS = parameters("(bytes32,address,address,bytes32,uint64,uint64,bytes32,uint64,bytes32)")
_LEGACY_PARITY = 27


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """What is signed, but for the contract that it goes to; and the signature.

    Attributes:
        sender: Who says that he has signed it; `check_signature` finds out.
        nonce: Of the sender's account: once it is above, the query is over.
        block: The newest block that the sender knows.
        reach: How many blocks after that one the query still counts.
        reply_key: X25519 key to which the answer is sealed; zeros: it comes open.
    """

    sender: Address
    data: bytes
    nonce: Nonce
    block: Height
    block_hash: Hash32
    reach: int
    reply_key: Bytes32
    signature: Signature65

    def encode(self) -> bytes:
        """The calldata of the `eth_call`."""
        return SELECTOR + encode(
            _KINDS,
            [
                self.sender,
                self.data,
                self.nonce,
                self.block,
                self.block_hash,
                self.reach,
                self.reply_key,
                bytes(self.signature),
            ],
        )

    @staticmethod
    def decode(calldata: bytes) -> "SignedQuery":
        """Read calldata that begins with `SELECTOR`; only the canonical encoding."""
        try:
            values = decode(_KINDS, calldata[len(SELECTOR) :])
        except BadEncoding as error:
            raise Malformed(f"a signed query is the ABI's {SIGNATURE}: {error.reason}") from error
        sender, data, nonce, block, block_hash, reach, reply_key, signature = values
        return SignedQuery(
            sender,
            data,
            Nonce(nonce),
            Height(block),
            Hash32(block_hash),
            reach,
            Bytes32(reply_key),
            _signature(signature),
        )

    def digest(self, network: NetworkId, chain_id: ChainId, to: Address) -> Hash32:
        """The EIP-712 digest for the contract at `to`."""
        words = (
            keccak256(QUERY_TYPE.encode()),
            self.sender,
            to,
            keccak256(self.data),
            self.nonce,
            self.block,
            self.block_hash,
            self.reach,
            self.reply_key,
        )
        domain = (
            keccak256(DOMAIN_TYPE.encode()),
            keccak256(DOMAIN_NAME.encode()),
            keccak256(DOMAIN_VERSION.encode()),
            chain_id,
            network,
        )
        parts = encode(_DOMAIN_KINDS, domain), encode(_QUERY_KINDS, words)
        return keccak256(b"\x19\x01" + b"".join(keccak256(part) for part in parts))

    def check_signature(self, network: NetworkId, chain_id: ChainId, to: Address) -> None:
        """Raise unless `sender` has signed this for the contract at `to`."""
        if recover(self.digest(network, chain_id, to), self.signature) != self.sender:
            raise Malformed(
                f"the query is not signed by {self.sender.hex0x}: sign it for this network, "
                "contract and calldata",
                "signature",
            )


def _signature(raw: bytes) -> Signature65:
    """r, s and v; wallets write v as 27 or 28."""
    if len(raw) != Signature65.LENGTH:
        raise Malformed(f"a signature has {Signature65.LENGTH} bytes, got {len(raw)}", "signature")
    parity = raw[-1] - (_LEGACY_PARITY if raw[-1] >= _LEGACY_PARITY else 0)
    if parity not in (0, 1):
        raise Malformed("a signature's last byte is 0, 1, 27 or 28", "signature")
    return Signature65(raw[:-1] + bytes((parity,)))
