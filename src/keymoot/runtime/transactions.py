"""A transaction as the ledger takes it: bytes opened and their sender recovered, once."""

from dataclasses import dataclass

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.request import REQUEST_TYPE, Request, decode_request
from keymoot.base.transaction import NAMES_NETWORK, EvmTransaction, decode_signed
from keymoot.base.units import ChainId
from keymoot.committee.messages import NodeMessage, is_message
from keymoot.crypto.secp256k1 import recover
from keymoot.crypto.transactions import request_digest, sender_of, transaction_hash

MAX_TRANSACTION_BYTES = 131_072
"""Longest transaction that is read, as Ethereum's nodes relay it."""

MAX_MESSAGE_BYTES = 262_144
"""Longest message of a node: a batch of presignatures."""


class WrongNetwork(Refused, code="WRONG_NETWORK"):
    def __init__(self, got: str, wanted: str) -> None:
        super().__init__(
            f"the transaction is for {got}, this ledger is {wanted}: "
            "check that you did not mix up the Keymoot RPC and the target RPC"
        )


class Unprotected(WrongNetwork):
    """A legacy transaction that would be valid on every chain."""

    def __init__(self, chain_id: ChainId) -> None:
        Refused.__init__(
            self,
            "only replay-protected (EIP-155) transactions are taken: "
            f"sign it for chain id {chain_id}",
        )


@dataclass(frozen=True, slots=True)
class LedgerTransaction:
    """One transaction of the ledger.

    Attributes:
        hash: Keccak-256 of `raw`: its name in Ethereum's API.
        sender: The account that signed, or the credential of a request; for a node's message
            its seat, which no key has as its address.
        ethereum: An ordinary transaction, or None for a request.
        request: A request of an agent, or None.
        message: A message of a node, or None.
        body: Digest of a request's signed body; the transaction hash otherwise.
    """

    hash: Hash32
    raw: bytes
    sender: Address
    ethereum: EvmTransaction | None
    request: Request | None
    body: Hash32
    message: NodeMessage | None = None


def open_transaction(raw: bytes, chain_id: ChainId, network: NetworkId) -> LedgerTransaction:
    """Read and authenticate a transaction."""
    limit = MAX_MESSAGE_BYTES if is_message(raw) else MAX_TRANSACTION_BYTES
    if len(raw) > limit:
        raise Malformed(f"a transaction has at most {limit} bytes, got {len(raw)}")
    name = transaction_hash(raw)
    if raw[0] == REQUEST_TYPE:
        request, signature = decode_request(raw)
        if request.network != network:
            raise WrongNetwork(f"network {request.network.hex0x}", f"network {network.hex0x}")
        body = request_digest(request)
        return LedgerTransaction(name, raw, recover(body, signature), None, request, body)
    if is_message(raw):
        message = NodeMessage.decode(raw)
        if message.network != network:
            raise WrongNetwork(f"network {message.network.hex0x}", f"network {network.hex0x}")
        sender = Address(message.seat.to_bytes(Address.LENGTH, "big"))
        return LedgerTransaction(name, raw, sender, None, None, name, message)
    transaction, signature = decode_signed(raw)
    if transaction.chain_id != chain_id:
        if transaction.chain_id is None:
            raise Unprotected(chain_id)
        raise WrongNetwork(f"chain id {transaction.chain_id}", f"chain id {chain_id}")
    for entry in transaction.access_list:
        named = entry.slots if entry.address == NAMES_NETWORK else ()
        if any(bytes(stated) != bytes(network) for stated in named):
            raise WrongNetwork("another network's id", f"network {network.hex0x}")
    return LedgerTransaction(name, raw, sender_of(transaction, signature), transaction, None, name)
