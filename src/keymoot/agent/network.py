"""One Keymoot network as a client sees it: who it is, what it answers, what is sent to it.

What it says of itself is held against its id, the hash of its genesis; who keeps its keys is
proved from there on (`roster`).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from keymoot.agent.errors import SET_URL, AnotherNetwork, NetworkRefused, WrongAnswer
from keymoot.agent.roster import Roster, anchor_of
from keymoot.agent.seen import SUFFIX, Seen
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.base import hexes
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, WalletId
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, ChainId, Gas, Height, Nonce, Wei
from keymoot.contracts.contract import Contract
from keymoot.contracts.wallets import Wallets
from keymoot.crypto import secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import signing_hash
from keymoot.moot.genesis import MAX_GENESIS_BYTES, Genesis
from keymoot.proof.committee import ProvenAssembly
from keymoot.proof.founding import Anchor
from keymoot.proof.log import Page
from keymoot.proof.state import Storage
from keymoot.proof.wallet import ProvenWallet
from keymoot.store.header import Header

FirstUse = Callable[[Anchor], None]
"""Is shown a network that is new here."""

TIMEOUT_SECONDS = 30.0
NOTHING = Wei(0)

_STILL_COMING = (4, 5)
_PAUSE_SECONDS = 0.05


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


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a network is: found out once, then pinned in credentials.

    Attributes:
        network: Keccak-256 of the genesis.
        simulated: Its enclaves are simulated: test funds only.
    """

    network: NetworkId
    chain_id: ChainId
    simulated: bool


class Network:
    """A connection to Keymoot RPC for owners; agents use `Account`."""

    def __init__(
        self,
        url: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
        seen: Path | None = None,
        pin: Anchor | None = None,
        first_use: FirstUse | None = None,
    ) -> None:
        """Take the address of Keymoot RPC; nothing is sent yet.

        Args:
            url: The address.
            timeout_seconds: For each exchange.
            seen: Folder with a file for each network that remembers its newest block seen, for
                the next process (see `keymoot.agent.seen`); None for this process only.
            pin: The one network that is believed here. None: whichever answers first, for as
                long as this object lives.
            first_use: Is shown that one before it is believed, and may refuse it by raising;
                not while it is being founded, when it has no verifying key yet.
        """
        self.transport = Transport(url)
        self.timeout_seconds = timeout_seconds
        self._seen = seen
        self._pin, self._first_use = pin, first_use
        self._identity: Identity | None = None
        self._roster: Roster | None = None

    def __reduce__(self) -> tuple[type[Self], tuple[str, float, Path | None, Anchor | None]]:
        """Pickle the address and what is pinned; the other process asks anew who the network is."""
        return type(self), (self.url, self.timeout_seconds, self._seen, self._pin)

    @property
    def url(self) -> str:
        """The address of Keymoot RPC."""
        return self.transport.url

    def identity(self) -> Identity:
        """Give who the network says it is, held against its genesis, and against what is pinned.

        Raises:
            AnotherNetwork: it is not the one that is pinned.
            WrongAnswer: the genesis does not hash to the id.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        if self._identity is None:
            told = self.transport.call("keymoot_network", [], self.timeout_seconds)
            found, pin = read_identity(told), self._pin
            if pin is not None and found.network != pin.network:
                raise AnotherNetwork(self.url, found.network.hex0x, pin.network.hex0x)
            if self._first_use is not None:
                found = self._introduced(found, self._first_use)
            self._identity = found
        return self._identity

    def _introduced(self, found: Identity, first_use: FirstUse) -> Identity:
        """Show a network that is new here, unless it is being founded; then it is pinned."""
        try:
            told = self.transport.call("keymoot_founding", [], self.timeout_seconds)
        except NetworkRefused:
            return found
        self._pin = anchor_of(told, found.network)
        first_use(self._pin)
        return found

    def roster(self) -> Roster:
        """Give who keeps the keys, which is proved from the network's id on.

        Raises:
            WrongAnswer, NetworkUnreachable, ConnectionLost, NetworkRefused: as `identity`.
            SeenUnusable: the file that remembers the newest block seen is damaged.
        """
        name = self.identity().network
        if self._roster is None:
            path = None if self._seen is None else self._seen / f"{name.hex()}{SUFFIX}"
            key = None if self._pin is None else self._pin.verifying_key
            self._roster = Roster(name, key, seen=None if path is None else Seen(path, name))
        return self._roster

    def anchor(self) -> Anchor:
        """Give what proofs are held against: id and verifying key, from the founding record.

        Raises:
            Unproven: the founding record is not this network's.
            NetworkRefused: the network is still being founded.
            NetworkUnreachable, ConnectionLost, WrongAnswer: as their names say.
        """
        return self.roster().anchor(self.transport, self.timeout_seconds)

    def committee(self) -> ProvenAssembly:
        """Give who keeps the keys now: members, roots and everyone's verification shares.

        Raises:
            Unproven: what came does not follow from what the network certified.
            NetworkRefused: the network is still being founded.
            NetworkUnreachable, ConnectionLost: as their names say.
        """
        return self.roster().renewed(self.transport, self.timeout_seconds)

    def wallet(self, wallet: WalletId) -> ProvenWallet:
        """Give a wallet as a certified state has it.

        Raises:
            NoSuchWallet: it is proved that there is none of this id.
            Unproven: what came does not follow from what the network certified.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        return self.roster().wallet(self.transport, self.timeout_seconds, wallet)

    def log(self, wallet: WalletId, start: int, count: int) -> Page:
        """Give a page of a wallet's log as a certified state has it.

        Raises:
            As `wallet`.
        """
        return self.roster().log(self.transport, self.timeout_seconds, wallet, start, count)

    def cells(self, address: Address, slots: Sequence[Bytes32]) -> tuple[Header, Storage]:
        """Give cells of a contract as a certified state has them, and that block's header.

        Raises:
            As `wallet`.
        """
        return self.roster().cells(self.transport, self.timeout_seconds, address, slots)

    def certified(self, height: Height) -> Header:
        """Give the certified header of a block that is on the branch that was seen.

        Raises:
            Unproven: it has no certificate of its own, or is on another branch.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        return self.roster().certified(self.transport, self.timeout_seconds, height)

    def call(self, method: str, *params: Any) -> Any:
        """Call one JSON-RPC method.

        Raises:
            NetworkRefused, NetworkUnreachable, ConnectionLost, WrongAnswer.
        """
        return self.transport.call(method, params, self.timeout_seconds)

    def faucet(self, address: Address) -> None:
        """Ask a development network for test tokens.

        Raises:
            NetworkRefused: this is no development network, or the faucet is dry.
        """
        self.call("keymoot_faucet", address.hex0x)

    def balance(self, address: Address) -> Wei:
        """Give an account's balance on the ledger, in wei of its native token."""
        return Wei(self._quantity(self.call("eth_getBalance", address.hex0x, "latest")))

    def count(self, address: Address) -> int:
        """Give how many transactions of an account are in blocks, as the node tells it."""
        return self._quantity(self.call("eth_getTransactionCount", address.hex0x, "latest"))

    def send(
        self,
        key: Secret,
        name: str,
        *arguments: Any,
        value: Wei = NOTHING,
        contract: type[Contract] = Wallets,
    ) -> dict[str, Any]:
        """Call a contract's method in a transaction; give the receipt of its final block.

        Raises:
            TransactionFailed: it is in a block, and failed.
            NetworkRefused: it was not accepted: no funds, or the estimate failed.
            ConnectionLost: no answer came in time; it may be in a block.
        """
        method = contract.method(name)
        data = method.encode(arguments)
        receipt = self._submit(self._signed(key, contract.ADDRESS, data, value))
        if self._quantity(receipt.get("status")) != 1:
            raise self._failure(method.name, receipt)
        return receipt

    def _failure(self, method: str, receipt: dict[str, Any]) -> TransactionFailed:
        """Ask for the reason, which Ethereum's receipts do not carry."""
        told = self.call("keymoot_getOutcome", receipt.get("transactionHash"))
        outcome = told if isinstance(told, dict) else {}
        word, why = outcome.get("errorCode"), outcome.get("error")
        return TransactionFailed(method, str(word or ""), str(why or "no reason given"), receipt)

    def _signed(self, key: Secret, to: Address, data: bytes, value: Wei) -> bytes:
        sender = secp256k1.address_of_secret(key).hex0x
        call = {
            "from": sender,
            "to": to.hex0x,
            "data": hexes.data(data),
            "value": hexes.quantity(value),
        }
        # An owner may have funds on other chains: only what runs on a ledger is signed.
        chain_id = self.identity().chain_id
        if self._pin is None:
            # Nor to a network that has not shown who it is.
            self.anchor()
        nonce, price, gas = self.transport.call_all(
            [
                ("eth_getTransactionCount", [sender, "pending"]),
                ("eth_gasPrice", []),
                ("eth_estimateGas", [call]),
            ],
            self.timeout_seconds,
        )
        transaction = EvmTransaction(
            kind=DYNAMIC_FEE,
            chain_id=chain_id,
            nonce=Nonce(self._quantity(nonce)),
            max_priority_fee=NOTHING,
            max_fee=Wei(self._quantity(price)),
            gas=Gas(self._quantity(gas)),
            to=to,
            value=value,
            data=data,
        )
        return transaction.signed_bytes(secp256k1.sign(key, signing_hash(transaction)))

    def _submit(self, raw: bytes) -> dict[str, Any]:
        """Send the same bytes until there is a receipt, or no time."""
        deadline = time.monotonic() + self.timeout_seconds
        sent = False
        while True:
            left = max(deadline - time.monotonic(), 0.001)
            try:
                return self._receipt(
                    self.transport.call(
                        "eth_sendRawTransactionSync", [hexes.data(raw), int(900 * left)], left
                    )
                )
            except ConnectionLost:
                sent = True
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    raise
            except NetworkRefused as error:
                found = self.call("eth_getTransactionReceipt", keccak256(raw).hex0x)
                if found is not None:
                    return self._receipt(found)
                if error.rpc_code not in _STILL_COMING and not sent:
                    raise
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    raise
            time.sleep(_PAUSE_SECONDS)

    @staticmethod
    def _receipt(found: Any) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise WrongAnswer("a receipt is a JSON object")
        return found

    @staticmethod
    def _quantity(text: Any) -> int:
        try:
            return hexes.parse_quantity(text)
        except Malformed as error:
            raise WrongAnswer(f"the network answered with no quantity: {error}") from error


def read_identity(told: Any) -> Identity:
    """Read the answer of keymoot_network.

    Raises:
        WrongAnswer: the genesis does not hash to the id, or is none.
    """
    if not isinstance(told, dict):
        raise WrongAnswer("keymoot_network was answered by something else: is it Keymoot RPC?")
    try:
        network = NetworkId(hexes.parse_data(told.get("network"), "network", NetworkId.LENGTH))
        genesis = hexes.parse_data(told.get("genesis"), "genesis", MAX_GENESIS_BYTES)
        # The id is the genesis's hash.
        if Hash32(network) != keccak256(genesis):
            raise WrongAnswer("the network's genesis does not hash to its id")
        chain_id = Genesis.decode(genesis).chain_id
        if chain_id != LEDGER_CHAIN_ID:
            found, ours = f"chain {chain_id}", f"a ledger's is {LEDGER_CHAIN_ID}"
            raise WrongAnswer(f"the network's genesis is of {found}, {ours}: {SET_URL}")
        if hexes.parse_quantity(told.get("chainId"), "chainId") != chain_id:
            raise WrongAnswer("the network's chain id is not its genesis's")
    except Malformed as error:
        raise WrongAnswer(f"keymoot_network was answered by something else: {error}") from error
    return Identity(network, chain_id, simulated=told.get("simulated") is not False)
