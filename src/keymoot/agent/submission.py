"""An owner's calls of contracts: signed once, and sent until they are in a certified block.

The same bytes go to one node after the other: a transaction is executed once, whoever takes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_high
from typing import Any, Generic, TypeVar

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.identity import NetworkIdentity
from keymoot.agent.nodes import NodeSet, NodeTurn
from keymoot.agent.proven_state import ProvenState
from keymoot.agent.rounds import STILL_COMING, Rounds, UnderWay, asked_of_each
from keymoot.agent.transport import ConnectionLost
from keymoot.base import hexes
from keymoot.base.errors import KeymootError, Malformed, Refused
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


class GasBeyond(Refused, code="GAS_BEYOND"):
    """A call needs more gas than whoever sends it lets it have; nothing was signed.

    Attributes:
        needed: As nodes estimate it.
        most: What it may have.
    """

    def __init__(self, needed: Gas, most: Gas) -> None:
        super().__init__(f"it needs gas of {needed}, at most {most} are spent on it: send less")
        self.needed, self.most = needed, most


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    raw: bytes
    nonce: Nonce

    @property
    def hash(self) -> Hash32:
        return keccak256(self.raw)


@dataclass(frozen=True, slots=True)
class Submitted(Generic[T]):
    """What came of a transaction that enclaves answer.

    Attributes:
        nonce: The sender's next.
        answer: None where the transaction is in a block, and its answers have to be fetched.
    """

    nonce: Nonce
    answer: T | None


class Submission:
    def __init__(
        self, nodes: NodeSet, timeout_seconds: float, identity: NetworkIdentity, proven: ProvenState
    ) -> None:
        self._nodes, self._timeout_seconds = nodes, timeout_seconds
        self._identity, self._proven = identity, proven

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
        most_gas: Gas | None = None,
    ) -> dict[str, Any]:
        """Send a transaction of any account or contract; give the receipt, which is proved.

        Where it was not carried out, `TransactionFailed` calls it `what`.

        Raises:
            GasBeyond: nodes say that it needs more gas than `most_gas`, if there is such a bound.
        """
        signed = self._signed(key, to, data, value, gas, None, most_gas)

        def proved(turn: NodeTurn, receipt: Any) -> dict[str, Any]:
            return self._receipt(turn, signed.hash, receipt)

        receipt = self._submit(signed, "eth_sendRawTransactionSync", proved, proved)
        if quantity(receipt.get("status")) != 1:
            raise self._failure(what, receipt)
        return receipt

    def output(self, receipt: dict[str, Any]) -> bytes:
        """Give what a call returned, as more than half of the nodes say it; nothing if none does.

        No receipt proves it. Where it is long, nodes keep none of it.
        """
        asked = [receipt.get("transactionHash")]

        def told(turn: NodeTurn) -> bytes:
            outcome = turn.call("keymoot_getOutcome", asked, self._timeout_seconds)
            output = outcome.get("output") if isinstance(outcome, dict) else None
            try:
                return hexes.parse_data(output, "output")
            except Malformed as error:
                raise WrongAnswer(f"what a call returned is told as bytes: {error}") from error

        def agreed(outputs: list[bytes]) -> bool:
            return any(2 * outputs.count(output) > len(self._nodes) for output in outputs)

        try:
            outputs = asked_of_each(self._nodes, self._timeout_seconds, told, agreed)
        except KeymootError:  # The transaction is done, whatever is known of it.
            return b""
        return max(outputs, key=outputs.count) if agreed(outputs) else b""

    def ask(
        self,
        key: Secret,
        contract: type[Contract],
        name: str,
        arguments: tuple[Any, ...],
        read: Callable[[NodeTurn, Any], T],
        *,
        gas: Gas = ESTIMATED,
        nonce: Nonce | None = None,
    ) -> Submitted[T]:
        """Call a contract's method, and have what enclaves answer to it, in one exchange.

        An answer that is believed shows that the transaction is in a block. Where there is none
        its receipt is asked for, and proved.

        Args:
            key: The sender's.
            contract: Whose method it is.
            name: The method's.
            arguments: What it takes.
            read: Makes of a node's answer what it stands for; WrongAnswer or Malformed where that
                is not good.
            gas: The most that it may use; by default what nodes say is needed.
            nonce: The sender's next; None to ask for it.

        Raises:
            TransactionFailed: it is in a block, and failed.
            NetworkRefused: it was not accepted.
            ConnectionLost: no answer came in time; it may be in a block.
        """
        method = contract.method(name)
        data = method.encode(arguments)
        signed = self._signed(key, contract.ADDRESS, data, NOTHING, gas, nonce)

        def done(turn: NodeTurn, receipt: Any) -> None:
            proved = self._receipt(turn, signed.hash, receipt)
            if quantity(proved.get("status")) != 1:
                raise self._failure(method.name, proved)

        def answered(turn: NodeTurn, told: Any) -> T | None:
            try:
                return read(turn, told)
            except (WrongAnswer, Malformed):
                receipt = self._receipt_at(turn, signed.hash)
                if receipt is None:
                    raise
                done(turn, receipt)
                return None

        answer = self._submit(signed, "keymoot_ask", answered, done)
        return Submitted(Nonce(signed.nonce + 1), answer)

    def _failure(self, method: str, receipt: dict[str, Any]) -> TransactionFailed:
        """Ask for the reason, which Ethereum's receipts do not carry."""
        asked = [receipt.get("transactionHash")]
        told = self._ask(lambda turn: turn.call("keymoot_getOutcome", asked, self._timeout_seconds))
        outcome = told if isinstance(told, dict) else {}
        word, why = outcome.get("errorCode"), outcome.get("error")
        return TransactionFailed(method, str(word or ""), str(why or "no reason given"), receipt)

    def _ask(self, question: Callable[[NodeTurn], T]) -> T:
        return Rounds(self._nodes, self._timeout_seconds, patient=False).ask(question)

    def _signed(
        self,
        key: Secret,
        to: Address | None,
        data: bytes,
        value: Wei,
        gas: Gas,
        nonce: Nonce | None,
        most_gas: Gas | None = None,
    ) -> SignedTransaction:
        sender = secp256k1.address_of_secret(key)
        # Or another network could carry it out: they all have one chain id.
        listed = (AccessEntry(NAMES_NETWORK, (Bytes32(self._identity.network),)),)
        call = {
            "from": sender.hex0x,
            "data": hexes.data(data),
            "value": hexes.quantity(value),
            "accessList": [entry.to_json() for entry in listed],
        }
        if to is not None:
            call["to"] = to.hex0x
        if nonce is None or gas == ESTIMATED:
            asked, estimated = self._figures(sender, None if gas else call)
            nonce, gas = asked if nonce is None else nonce, gas or estimated
        if most_gas is not None and gas > most_gas:
            raise GasBeyond(gas, most_gas)
        transaction = EvmTransaction(
            kind=DYNAMIC_FEE,
            chain_id=self._identity.chain_id,
            nonce=nonce,
            max_priority_fee=NOTHING,
            max_fee=self._identity.base_fee,
            gas=gas,
            to=to,
            value=value,
            data=data,
            access_list=listed,
        )
        raw = transaction.signed_bytes(secp256k1.sign(key, signing_hash(transaction)))
        return SignedTransaction(raw, nonce)

    def _figures(self, sender: Address, call: dict[str, Any] | None) -> tuple[Nonce, Gas]:
        """Give an account's next nonce, and the gas that a call needs, where there is one."""
        seconds = self._timeout_seconds

        def told(turn: NodeTurn) -> tuple[Nonce, Gas]:
            count: tuple[str, list[Any]] = "eth_getTransactionCount", [sender.hex0x, "pending"]
            if call is None:
                return Nonce(quantity(turn.call(*count, seconds))), ESTIMATED
            nonce, gas = turn.call_all([count, ("eth_estimateGas", [call])], seconds)
            return Nonce(quantity(nonce)), Gas(quantity(gas))

        if len(self._nodes) == 1:
            return self._ask(told)

        def estimate(turn: NodeTurn) -> int:
            return quantity(turn.call("eth_estimateGas", [call], seconds))

        def agreed(counts: list[int]) -> bool:
            return any(2 * counts.count(count) > len(self._nodes) for count in counts)

        # One of several must not spoil what is signed once: what can be proved is proved, and of
        # what is left the middle is taken.
        _, account = self._ask(lambda turn: self._proven.account(turn, seconds, sender))
        if call is None:
            return account.nonce, ESTIMATED
        gas = asked_of_each(self._nodes, seconds, estimate, agreed)
        return account.nonce, Gas(median_high(gas))

    def _submit(
        self,
        signed: SignedTransaction,
        method: str,
        answered: Callable[[NodeTurn, Any], T],
        included: Callable[[NodeTurn, Any], T],
    ) -> T:
        """Send the same bytes, to one node after the other, until one is believed or time is up.

        Args:
            signed: What is sent.
            method: Which sends it, and waits for its block.
            answered: Reads what that gave.
            included: Reads the receipt, where a node that refuses has one.
        """
        sent = False

        def at_node(turn: NodeTurn) -> T:
            nonlocal sent
            left = turn.left_seconds
            wait = left if turn.alone else 0.8 * left
            try:
                asked = [hexes.data(signed.raw), min(max(1, int(900 * wait)), LONGEST_WAIT_MILLIS)]
                told = turn.call(method, asked, left)
                sent = True
                return answered(turn, told)
            except ConnectionLost:
                sent = True
                raise
            except NetworkRefused as error:
                receipt = self._receipt_at(turn, signed.hash)
                if receipt is not None:
                    return included(turn, receipt)
                if error.reverted:
                    sent = True
                    raise WrongAnswer(
                        "a contract's refusal of a transaction that was sent, without its receipt: "
                        "it may be in a block; look at the account before it is sent again"
                    ) from error
                if error.rpc_code in STILL_COMING or sent:
                    # An earlier copy counts, where this one is refused.
                    sent = True
                    raise UnderWay(error) from error
                raise

        return Rounds(self._nodes, self._timeout_seconds).ask(at_node)

    def _receipt_at(self, turn: NodeTurn, name: Hash32) -> Any:
        """Give the receipt that a node has; nothing of it is proved."""
        return turn.call("eth_getTransactionReceipt", [name.hex0x], self._timeout_seconds)

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
