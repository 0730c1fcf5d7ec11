"""An owner's calls of contracts: signed once, and sent until they are in a certified block.

The same bytes go to one node after the other: a transaction is executed once, whoever takes it.
"""

from collections.abc import Callable
from statistics import median_high
from typing import Any, TypeVar

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.identity import NetworkIdentity
from keymoot.agent.nodes import NodeSet, NodeTurn
from keymoot.agent.proven_state import ProvenState
from keymoot.agent.rounds import STILL_COMING, Rounds, UnderWay, asked_of_each
from keymoot.agent.transport import ConnectionLost
from keymoot.base import hexes
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, NAMES_NETWORK, AccessEntry, EvmTransaction
from keymoot.base.units import Gas, Nonce, Wei
from keymoot.contracts.framework.contract import Contract
from keymoot.crypto import secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import signing_hash

NOTHING = Wei(0)
ESTIMATED = Gas(0)
"""Stands for as much gas as the network says is needed."""
LONGEST_WAIT_MILLIS = 60_000
"""Nodes let nobody wait longer at a time; whoever has more patience asks again."""

T = TypeVar("T")


class TransactionFailed(Refused, code="TRANSACTION_FAILED"):
    """A transaction is in a block, and the contract said no.

    Attributes:
        reason: The contract's word, such as NOT_OWNER.
        receipt: The receipt as Ethereum's API gives it.
    """

    def __init__(self, method: str, reason: str, why: str, receipt: dict[str, Any]) -> None:
        super().__init__(f"{method} was refused: {why}")
        self.reason = reason
        self.receipt = receipt


class Submission:
    def __init__(
        self, nodes: NodeSet, timeout_seconds: float, identity: NetworkIdentity, proven: ProvenState
    ) -> None:
        self._nodes, self._timeout_seconds = nodes, timeout_seconds
        self._chain_id, self._network = identity.chain_id, identity.network
        self._proven = proven

    def send(
        self,
        key: Secret,
        contract: type[Contract],
        name: str,
        arguments: tuple[Any, ...],
        value: Wei,
    ) -> dict[str, Any]:
        """Call a contract's method; give the receipt, which is proved."""
        method = contract.method(name)
        return self.call(key, contract.ADDRESS, method.encode(arguments), value, method.name)

    def call(
        self,
        key: Secret,
        to: Address | None,
        data: bytes,
        value: Wei,
        what: str,
        gas: Gas = ESTIMATED,
    ) -> dict[str, Any]:
        """Send a transaction of any account or contract; give the receipt, which is proved.

        Where it was not carried out, `TransactionFailed` calls it `what`.
        """
        receipt = self._submit(self._signed(key, to, data, value, gas))
        if quantity(receipt.get("status")) != 1:
            raise self._failure(what, receipt)
        return receipt

    def _failure(self, method: str, receipt: dict[str, Any]) -> TransactionFailed:
        """Ask for the reason, which Ethereum's receipts do not carry."""
        asked = [receipt.get("transactionHash")]
        told = self._ask(lambda turn: turn.call("keymoot_getOutcome", asked, self._timeout_seconds))
        outcome = told if isinstance(told, dict) else {}
        word, why = outcome.get("errorCode"), outcome.get("error")
        return TransactionFailed(method, str(word or ""), str(why or "no reason given"), receipt)

    def _ask(self, question: Callable[[NodeTurn], T]) -> T:
        return Rounds(self._nodes, self._timeout_seconds, patient=False).ask(question)

    def _signed(self, key: Secret, to: Address | None, data: bytes, value: Wei, gas: Gas) -> bytes:
        sender = secp256k1.address_of_secret(key).hex0x
        # Or another network could carry it out: they all have one chain id.
        listed = (AccessEntry(NAMES_NETWORK, (Bytes32(self._network),)),)
        call = {
            "from": sender,
            "data": hexes.data(data),
            "value": hexes.quantity(value),
            "accessList": [entry.to_json() for entry in listed],
        }
        if to is not None:
            call["to"] = to.hex0x
        nonce, price, estimated = self._figures(Address.from_hex(sender), call)
        transaction = EvmTransaction(
            kind=DYNAMIC_FEE,
            chain_id=self._chain_id,
            nonce=Nonce(nonce),
            max_priority_fee=NOTHING,
            max_fee=Wei(price),
            gas=gas or Gas(estimated),
            to=to,
            value=value,
            data=data,
            access_list=listed,
        )
        return transaction.signed_bytes(secp256k1.sign(key, signing_hash(transaction)))

    def _figures(self, sender: Address, call: dict[str, Any]) -> tuple[int, int, int]:
        seconds = self._timeout_seconds

        def told(turn: NodeTurn) -> tuple[int, int, int]:
            calls: list[tuple[str, list[Any]]] = [
                ("eth_getTransactionCount", [sender.hex0x, "pending"]),
                ("eth_gasPrice", []),
                ("eth_estimateGas", [call]),
            ]
            nonce, price, gas = turn.call_all(calls, seconds)
            return quantity(nonce), quantity(price), quantity(gas)

        if len(self._nodes) == 1:
            return self._ask(told)

        def estimate(turn: NodeTurn) -> int:
            return quantity(turn.call("eth_estimateGas", [call], seconds))

        def agreed(counts: list[int]) -> bool:
            return any(2 * counts.count(count) > len(self._nodes) for count in counts)

        # One of several must not spoil what is signed once: what can be proved is proved, and of
        # what is left the middle is taken.
        header, account = self._ask(lambda turn: self._proven.account(turn, seconds, sender))
        gas = asked_of_each(self._nodes, seconds, estimate, agreed)
        return account.nonce, header.base_fee, median_high(gas)

    def _submit(self, raw: bytes) -> dict[str, Any]:
        """Send the same bytes, to one node after the other, until a receipt comes or time is up."""
        name, sent = keccak256(raw), False

        def one(turn: NodeTurn) -> dict[str, Any]:
            nonlocal sent
            left = turn.left_seconds
            wait = left if turn.alone else 0.8 * left
            try:
                asked = [hexes.data(raw), min(max(1, int(900 * wait)), LONGEST_WAIT_MILLIS)]
                told = turn.call("eth_sendRawTransactionSync", asked, left)
                sent = True
                return self._receipt(turn, name, told)
            except ConnectionLost:
                sent = True
                raise
            except NetworkRefused as error:
                receipt = turn.call(
                    "eth_getTransactionReceipt", [name.hex0x], self._timeout_seconds
                )
                if receipt is not None:
                    return self._receipt(turn, name, receipt)
                if error.rpc_code in STILL_COMING or sent:
                    # An earlier copy counts, where this one is refused.
                    sent = True
                    raise UnderWay(error) from error
                raise

        return Rounds(self._nodes, self._timeout_seconds).ask(one)

    def _receipt(self, turn: NodeTurn, name: Hash32, receipt: Any) -> dict[str, Any]:
        """Give a receipt whose height, index and status are proved; the rest is the node's word."""
        if not isinstance(receipt, dict):
            raise WrongAnswer("a receipt is a JSON object")
        proven = self._proven.receipt(turn, self._timeout_seconds, name)
        return {
            **receipt,
            "transactionHash": name.hex0x,
            "blockNumber": hexes.quantity(proven.header.height),
            "transactionIndex": hexes.quantity(proven.index),
            "status": hexes.quantity(proven.status),
        }


def quantity(told: Any) -> int:
    """Read a number of a node's; WrongAnswer where it is none."""
    try:
        return hexes.parse_quantity(told)
    except Malformed as error:
        raise WrongAnswer(f"the network answered with no quantity: {error}") from error
