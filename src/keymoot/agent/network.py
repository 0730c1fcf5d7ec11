"""One Keymoot network as a client sees it: who it is, what it answers, what is sent to it.

What it says of itself is held against its id, the hash of its genesis; who keeps its keys is
proved from there on (`roster`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from keymoot.agent.errors import AnotherNetwork, NetworkRefused, WrongAnswer
from keymoot.agent.identity import Identity, read_identity
from keymoot.agent.nodes import Nodes, Turn
from keymoot.agent.roster import Roster, anchor_of
from keymoot.agent.rounds import Rounds, asked_of_each
from keymoot.agent.seen import SUFFIX, Seen
from keymoot.agent.submission import NOTHING, Submission, quantity
from keymoot.base.fixed import Address, Bytes32, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import Height, Wei
from keymoot.contracts.contract import Contract
from keymoot.contracts.wallets import Wallets
from keymoot.proof.committee import ProvenAssembly
from keymoot.proof.founding import Anchor
from keymoot.proof.log import Page
from keymoot.proof.state import Storage
from keymoot.proof.wallet import ProvenWallet
from keymoot.store.account import Account
from keymoot.store.header import Header

FirstUse = Callable[[Anchor], None]
"""Is shown a network that is new here."""

TIMEOUT_SECONDS = 30.0

T = TypeVar("T")


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
        """Take the address of Keymoot RPC, or several nodes' with commas; nothing is sent yet.

        Args:
            url: The address, or those of several nodes of the network.
            timeout_seconds: For each question, to however many nodes.
            seen: Folder with a file for each network that remembers its newest block seen, for
                the next process (see `keymoot.agent.seen`); None for this process only.
            pin: The one network that is believed here. None: whichever answers first, for as
                long as this object lives.
            first_use: Is shown that one before it is believed, and may refuse it by raising;
                not while it is being founded, when it has no verifying key yet.
        """
        self.nodes = Nodes.at(url)
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
        """The address of Keymoot RPC, or of several with commas."""
        return self.nodes.url

    def ask(self, one: Callable[[Turn], T]) -> T:
        """Ask one node after the other, until one answers what is believed.

        Args:
            one: Asks a node in its turn, and raises where it is not believed; see `Rounds.ask`.

        Raises:
            NoNodeAnswers: of several nodes none did.
        """
        return Rounds(self.nodes, self.timeout_seconds, patient=False).ask(one)

    def identity(self) -> Identity:
        """Give who the network says it is, held against its genesis, and against what is pinned.

        Raises:
            AnotherNetwork: it is not the one that is pinned.
            WrongAnswer: the genesis does not hash to the id.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        if self._identity is None:
            pin = self._pin
            found = self.ask(self._identity_at) if pin else self._agreed()
            if self._first_use is not None:
                found = self._introduced(found, self._first_use)
            self._identity = found
        return self._identity

    def _identity_at(self, turn: Turn) -> Identity:
        told, pin = turn.call("keymoot_network", [], self.timeout_seconds), self._pin
        found = read_identity(told)
        if pin is not None and found.network != pin.network:
            raise AnotherNetwork(turn.url, found.network.hex0x, pin.network.hex0x)
        return found

    def _agreed(self) -> Identity:
        """Give who all nodes that answer say the network is: nothing else tells who is right."""
        first = self.ask(self._identity_at)
        if len(self.nodes) == 1:
            return first
        for found in asked_of_each(self.nodes, self.timeout_seconds, self._identity_at):
            if found.network != first.network:
                raise WrongAnswer(
                    f"nodes at {self.url} show two networks, {first.network.hex0x} and "
                    f"{found.network.hex0x}: name those of one network only"
                )
        return first

    def _introduced(self, found: Identity, first_use: FirstUse) -> Identity:
        """Show a network that is new here, unless it is being founded; then it is pinned."""
        try:
            told = self.call("keymoot_founding")
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
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.anchor(turn, seconds))

    def committee(self) -> ProvenAssembly:
        """Give who keeps the keys now: members, roots and everyone's verification shares.

        Raises:
            Unproven: what came does not follow from what the network certified.
            NetworkRefused: the network is still being founded.
            NetworkUnreachable, ConnectionLost: as their names say.
        """
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.renewed(turn, seconds))

    def wallet(self, wallet: WalletId) -> ProvenWallet:
        """Give a wallet as a certified state has it.

        Raises:
            NoSuchWallet: it is proved that there is none of this id.
            Unproven: what came does not follow from what the network certified.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.wallet(turn, seconds, wallet))

    def log(self, wallet: WalletId, start: int, count: int) -> Page:
        """Give a page of a wallet's log as a certified state has it.

        Raises:
            As `wallet`.
        """
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.log(turn, seconds, wallet, start, count))

    def cells(self, address: Address, slots: Sequence[Bytes32]) -> tuple[Header, Storage]:
        """Give cells of a contract as a certified state has them, and that block's header.

        Raises:
            As `wallet`.
        """
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.cells(turn, seconds, address, slots))

    def certified(self, height: Height) -> Header:
        """Give the certified header of a block that is on the branch that was seen.

        Raises:
            Unproven: it has no certificate of its own, or is on another branch.
            NetworkUnreachable, ConnectionLost, NetworkRefused: as their names say.
        """
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.certified(turn, seconds, height))

    def call(self, method: str, *params: Any) -> Any:
        """Call one JSON-RPC method.

        Raises:
            NetworkRefused, NetworkUnreachable, ConnectionLost, WrongAnswer.
        """
        return self.ask(lambda turn: turn.call(method, params, self.timeout_seconds))

    def faucet(self, address: Address) -> None:
        """Ask a development network for test tokens.

        Raises:
            NetworkRefused: this is no development network, or the faucet is dry.
        """
        self.call("keymoot_faucet", address.hex0x)

    def balance(self, address: Address) -> Wei:
        """Give an account's balance on the ledger, in wei of its native token.

        It is the node's word; of several, it is proved.
        """
        if len(self.nodes) > 1:
            return self.account(address).balance
        return Wei(quantity(self.call("eth_getBalance", address.hex0x, "latest")))

    def count(self, address: Address) -> int:
        """Give how many transactions of an account are in blocks.

        It is the node's word; of several, it is proved.
        """
        if len(self.nodes) > 1:
            return self.account(address).nonce
        return quantity(self.call("eth_getTransactionCount", address.hex0x, "latest"))

    def account(self, address: Address) -> Account:
        """Give an account's nonce and balance as a certified state has them.

        Raises:
            As `wallet`.
        """
        roster, seconds = self.roster(), self.timeout_seconds
        return self.ask(lambda turn: roster.account(turn, seconds, address))[1]

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
        # An owner may have funds on other chains: only what runs on a ledger is signed.
        identity = self.identity()
        if self._pin is None:
            # Nor to a network that has not shown who it is.
            self.anchor()
        sending = Submission(self.nodes, self.timeout_seconds, identity, self.roster())
        return sending.send(key, contract, name, arguments, value)
