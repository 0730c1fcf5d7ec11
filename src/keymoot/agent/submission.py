"""An owner's calls of contracts: signed once, and sent until they are in a certified block.

The same bytes go to one node after the other: a transaction is executed once, whoever takes it.
"""

from collections.abc import Callable
from statistics import median_high
from typing import Any, ClassVar, TypeVar

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.identity import Identity
from keymoot.agent.nodes import Nodes, Turn
from keymoot.agent.roster import Roster
from keymoot.agent.rounds import STILL_COMING, Rounds, UnderWay, asked_of_each
from keymoot.agent.transport import ConnectionLost
from keymoot.base import hexes
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, NAMES_NETWORK, AccessEntry, EvmTransaction
from keymoot.base.units import Gas, Nonce, Wei
from keymoot.contracts.contract import Contract
from keymoot.crypto import secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import signing_hash

NOTHING = Wei(0)

T = TypeVar("T")


class TransactionFailed(Refused):
    """A transaction is in a block, and the contract said no.

    Attributes:
        reason: The contract's word, such as NOT_OWNER.
        receipt: The receipt as Ethereum's API gives it.
    """

    code: ClassVar[str] = "TRANSACTION_FAILED"

    def __init__(self, method: str, reason: str, why: str, receipt: dict[str, Any]) -> None:
        """Name the call and the contract's reason."""
        super().__init__(f"{method} was refused: {why}")
        self.reason = reason
        self.receipt = receipt


class Submission:
    """Sends calls to the nodes of one network."""

    def __init__(
        self, nodes: Nodes, timeout_seconds: float, identity: Identity, roster: Roster
    ) -> None:
        """Take the nodes, the network for which is signed, and who proves receipts."""
        self._nodes, self._timeout_seconds = nodes, timeout_seconds
        self._chain_id, self._network = identity.chain_id, identity.network
        self._roster = roster

    def send(
        self,
        key: Secret,
        contract: type[Contract],
        name: str,
        arguments: tuple[Any, ...],
        value: Wei,
    ) -> dict[str, Any]:
        """Call a contract's method; give the receipt, proved where there are several nodes.

        Raises:
            As `Network.send`.
        """
        method = contract.method(name)
        receipt = self._submit(self._signed(key, contract.ADDRESS, method.encode(arguments), value))
        if quantity(receipt.get("status")) != 1:
            raise self._failure(method.name, receipt)
        return receipt

    def _failure(self, method: str, receipt: dict[str, Any]) -> TransactionFailed:
        """Ask for the reason, which Ethereum's receipts do not carry."""
        asked = [receipt.get("transactionHash")]
        told = self._ask(lambda turn: turn.call("keymoot_getOutcome", asked, self._timeout_seconds))
        outcome = told if isinstance(told, dict) else {}
        word, why = outcome.get("errorCode"), outcome.get("error")
        return TransactionFailed(method, str(word or ""), str(why or "no reason given"), receipt)

    def _ask(self, one: Callable[[Turn], T]) -> T:
        return Rounds(self._nodes, self._timeout_seconds, patient=False).ask(one)

    def _signed(self, key: Secret, to: Address, data: bytes, value: Wei) -> bytes:
        sender = secp256k1.address_of_secret(key).hex0x
        # Or another network could carry it out: they all have one chain id.
        listed = (AccessEntry(NAMES_NETWORK, (Bytes32(self._network),)),)
        call = {
            "from": sender,
            "to": to.hex0x,
            "data": hexes.data(data),
            "value": hexes.quantity(value),
            "accessList": [entry.to_json() for entry in listed],
        }
        nonce, price, gas = self._figures(Address.from_hex(sender), call)
        transaction = EvmTransaction(
            kind=DYNAMIC_FEE,
            chain_id=self._chain_id,
            nonce=Nonce(nonce),
            max_priority_fee=NOTHING,
            max_fee=Wei(price),
            gas=Gas(gas),
            to=to,
            value=value,
            data=data,
            access_list=listed,
        )
        return transaction.signed_bytes(secp256k1.sign(key, signing_hash(transaction)))

    def _figures(self, sender: Address, call: dict[str, Any]) -> tuple[int, int, int]:
        """Give nonce, gas price and gas."""
        seconds = self._timeout_seconds

        def told(turn: Turn) -> tuple[int, int, int]:
            calls: list[tuple[str, list[Any]]] = [
                ("eth_getTransactionCount", [sender.hex0x, "pending"]),
                ("eth_gasPrice", []),
                ("eth_estimateGas", [call]),
            ]
            nonce, price, gas = turn.call_all(calls, seconds)
            return quantity(nonce), quantity(price), quantity(gas)

        if len(self._nodes) == 1:
            return self._ask(told)

        def estimate(turn: Turn) -> int:
            return quantity(turn.call("eth_estimateGas", [call], seconds))

        def agreed(found: list[int]) -> bool:
            return any(2 * found.count(one) > len(self._nodes) for one in found)

        # One of several must not spoil what is signed once: what can be proved is proved, and of
        # what is left the middle is taken.
        header, account = self._ask(lambda turn: self._roster.account(turn, seconds, sender))
        gas = asked_of_each(self._nodes, seconds, estimate, agreed)
        return account.nonce, header.base_fee, median_high(gas)

    def _submit(self, raw: bytes) -> dict[str, Any]:
        """Send the same bytes, to one node after the other, until there is a receipt, or no time."""
        name, sent = keccak256(raw), False

        def one(turn: Turn) -> dict[str, Any]:
            nonlocal sent
            left = turn.left_seconds
            wait = left if turn.alone else 0.8 * left
            try:
                asked = [hexes.data(raw), max(1, int(900 * wait))]
                told = turn.call("eth_sendRawTransactionSync", asked, left)
                sent = True
                return self._receipt(turn, name, told)
            except ConnectionLost:
                sent = True
                raise
            except NetworkRefused as error:
                found = turn.call("eth_getTransactionReceipt", [name.hex0x], self._timeout_seconds)
                if found is not None:
                    return self._receipt(turn, name, found)
                if error.rpc_code in STILL_COMING or sent:
                    # An earlier copy counts, where this one is refused.
                    sent = True
                    raise UnderWay(error) from error
                raise

        return Rounds(self._nodes, self._timeout_seconds).ask(one)

    def _receipt(self, turn: Turn, name: Hash32, found: Any) -> dict[str, Any]:
        """Give a receipt; where another node may be asked, only one that is proved."""
        if not isinstance(found, dict):
            raise WrongAnswer("a receipt is a JSON object")
        if turn.alone:
            return found
        proven = self._roster.receipt(turn, self._timeout_seconds, name)
        return {
            **found,
            "transactionHash": name.hex0x,
            "blockNumber": hexes.quantity(proven.header.height),
            "status": hexes.quantity(proven.status),
        }


def quantity(told: Any) -> int:
    """Read a number of a node's.

    Raises:
        WrongAnswer: it is none.
    """
    try:
        return hexes.parse_quantity(told)
    except Malformed as error:
        raise WrongAnswer(f"the network answered with no quantity: {error}") from error
