"""One Keymoot network as a client sees it: who it is, what it answers, what is sent to it.

What it says of itself is held against its id, the hash of its genesis; who keeps its keys is
proved from there on (`proven`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from keymoot.agent.errors import AnotherNetwork, NetworkRefused, WrongAnswer
from keymoot.agent.identity import NetworkIdentity, read_identity
from keymoot.agent.nodes import NodeSet, NodeTurn
from keymoot.agent.proven_state import ProvenState, anchor_of
from keymoot.agent.rounds import Rounds, asked_of_each
from keymoot.agent.seen import SUFFIX, Seen
from keymoot.agent.submission import NOTHING, Submission, quantity
from keymoot.base.fixed import Address, Bytes32, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.contract import Contract
from keymoot.proof.committee import ProvenCommittee
from keymoot.proof.founding import Anchor
from keymoot.proof.log import Page
from keymoot.proof.state import Storage
from keymoot.proof.wallet import ProvenWallet
from keymoot.store.account import AccountState
from keymoot.store.header import Header

FirstUse = Callable[[Anchor], None]
"""Is shown a network that is new here."""

TIMEOUT_SECONDS = 30.0

T = TypeVar("T")


class Network:
    """A connection to Keymoot RPC for owners; agents use `Account`.

    Whatever is asked raises Unproven where it does not follow from what the network certified, and
    NetworkUnreachable, ConnectionLost, NetworkRefused or WrongAnswer as their names say.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
        seen: Path | None = None,
        pin: Anchor | None = None,
        first_use: FirstUse | None = None,
    ) -> None:
        """Take the address of Keymoot RPC, or several nodes' with commas; nothing is sent yet.

        Args:
            url: The address, or those of several nodes of the network.
            timeout_seconds: For each question, to however many nodes.
            seen: Folder of files that remember newest blocks (`keymoot.agent.seen`), or None.
            pin: The one network that is believed here. None: whichever answers first.
            first_use: Is shown that one before it is believed, and may refuse it by raising; not
                while it is being founded, when it has no verifying key yet.
        """
        self.nodes = NodeSet.at(url)
        self.timeout_seconds = timeout_seconds
        self._seen = seen
        self._pin, self._first_use = pin, first_use
        self._identity: NetworkIdentity | None = None
        self._proven: ProvenState | None = None

    def __reduce__(self) -> tuple[type[Self], tuple[str, float, Path | None, Anchor | None]]:
        """Pickle the address and what is pinned; the other process asks anew who the network is."""
        return type(self), (self.url, self.timeout_seconds, self._seen, self._pin)

    @property
    def url(self) -> str:
        return self.nodes.url

    def ask(self, question: Callable[[NodeTurn], T]) -> T:
        """Ask one node after the other, until one answers what is believed; see `Rounds.ask`."""
        return Rounds(self.nodes, self.timeout_seconds, patient=False).ask(question)

    def identity(self) -> NetworkIdentity:
        """Give who the network says it is, held against its genesis, and against what is pinned."""
        if self._identity is None:
            pin = self._pin
            introduced = self.ask(self._identity_at) if pin else self._agreed()
            if self._first_use is not None:
                introduced = self._introduced(introduced, self._first_use)
            self._identity = introduced
        return self._identity

    def _identity_at(self, turn: NodeTurn) -> NetworkIdentity:
        told, pin = turn.call("keymoot_network", [], self.timeout_seconds), self._pin
        identity = read_identity(told)
        if pin is not None and identity.network != pin.network:
            raise AnotherNetwork(turn.url, identity.network.hex0x, pin.network.hex0x)
        return identity

    def _agreed(self) -> NetworkIdentity:
        """Give who all nodes that answer say the network is: nothing else tells who is right."""
        first = self.ask(self._identity_at)
        if len(self.nodes) == 1:
            return first
        for identity in asked_of_each(self.nodes, self.timeout_seconds, self._identity_at):
            if identity.network != first.network:
                raise WrongAnswer(
                    f"nodes at {self.url} show two networks, {first.network.hex0x} and "
                    f"{identity.network.hex0x}: name those of one network only"
                )
        return first

    def _introduced(self, identity: NetworkIdentity, first_use: FirstUse) -> NetworkIdentity:
        """Show a network that is new here, unless it is being founded; then it is pinned."""
        try:
            told = self.call("keymoot_founding")
        except NetworkRefused:
            return identity
        self._pin = anchor_of(told, identity.network)
        first_use(self._pin)
        return identity

    def proven(self) -> ProvenState:
        """Give who keeps the keys, which is proved from the network's id on."""
        name = self.identity().network
        if self._proven is None:
            path = None if self._seen is None else self._seen / f"{name.hex()}{SUFFIX}"
            key = None if self._pin is None else self._pin.verifying_key
            self._proven = ProvenState(name, key, seen=None if path is None else Seen(path, name))
        return self._proven

    def anchor(self) -> Anchor:
        """Give what proofs are held against: id and verifying key, from the founding record."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.anchor(turn, seconds))

    def committee(self) -> ProvenCommittee:
        """Give who keeps the keys now: members, roots and everyone's verification shares."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.renewed(turn, seconds))

    def wallet(self, wallet: WalletId) -> ProvenWallet:
        """Give a wallet as a certified state has it; NoSuchWallet if there is none."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.wallet(turn, seconds, wallet))

    def log(self, wallet: WalletId, start: int, count: int) -> Page:
        """Give a page of a wallet's log as a certified state has it."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.log(turn, seconds, wallet, start, count))

    def cells(self, address: Address, slots: Sequence[Bytes32]) -> tuple[Header, Storage]:
        """Give cells of a contract as a certified state has them, and that block's header."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.cells(turn, seconds, address, slots))

    def certified(self, height: Height) -> Header:
        """Give the certified header of a block that is on the branch that was seen."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.certified(turn, seconds, height))

    def call(self, method: str, *params: Any) -> Any:
        return self.ask(lambda turn: turn.call(method, params, self.timeout_seconds))

    def faucet(self, address: Address) -> None:
        """Ask a development network for test tokens; others refuse."""
        self.call("keymoot_faucet", address.hex0x)

    def balance(self, address: Address) -> Wei:
        """Of the ledger's token, in wei: the node's word; of several, it is proved."""
        if len(self.nodes) > 1:
            return self.account(address).balance
        return Wei(quantity(self.call("eth_getBalance", address.hex0x, "latest")))

    def count(self, address: Address) -> int:
        """How many transactions are in blocks: the node's word; of several, it is proved."""
        if len(self.nodes) > 1:
            return self.account(address).nonce
        return quantity(self.call("eth_getTransactionCount", address.hex0x, "latest"))

    def account(self, address: Address) -> AccountState:
        """Give an account's nonce and balance as a certified state has them."""
        proven, seconds = self.proven(), self.timeout_seconds
        return self.ask(lambda turn: proven.account(turn, seconds, address))[1]

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
        return self.submission().send(key, contract, name, arguments, value)

    def submission(self) -> Submission:
        """Give what sends transactions, to this network alone."""
        # An owner may have funds on other chains: only what runs on a ledger is signed.
        identity = self.identity()
        if self._pin is None:
            # Nor to a network that has not shown who it is.
            self.anchor()
        return Submission(self.nodes, self.timeout_seconds, identity, self.proven())
