"""What an enclave knows of the ledger: it follows final blocks and runs the assembly itself.

Node messages it executes from the blocks, as every replica does. What requests were bound
it is told by its server, in the receipts: those lead to the next header's results hash, and
to the beacon that too few would sign over anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keymoot.attest.block import data_hash, results_hash
from keymoot.attest.commit import SignedHeader
from keymoot.attest.quorum import verify_commit
from keymoot.attest.validators import ValidatorSet
from keymoot.base.errors import Fault, KeymootError, Malformed, Refused
from keymoot.base.fixed import Address, Hash32, WalletId
from keymoot.base.units import Height, UnixSeconds, seconds_of
from keymoot.contracts.keys import KeyAsked, Keys
from keymoot.contracts.wallet_events import CredentialSet, PauseSet, RequestBound
from keymoot.contracts.wallets import Wallets
from keymoot.enclave.bound import read_ask, read_binding
from keymoot.moot.assembly import Assembly
from keymoot.moot.batch import PresignatureId
from keymoot.moot.genesis import Genesis
from keymoot.moot.message import MESSAGE_TYPE, NodeMessage
from keymoot.moot.outcome import Binding, KeyAsk, beacon_message
from keymoot.moot.pages import DraftPages, MemoryPages
from keymoot.runtime.assembly import read_pages
from keymoot.runtime.members import follow_chain, signers_of, validators_at
from keymoot.runtime.receipt import Log, Receipt, result_of

_MESSAGE = bytes((MESSAGE_TYPE,))


class Diverged(Fault):
    """What the server shows does not fit what came before: it executed differently, or lies."""

    code = "DIVERGED"


class OutOfOrder(Refused):
    """A block that does not follow the one before."""

    code = "OUT_OF_ORDER"

    def __init__(self, height: int, next_height: int) -> None:
        """Name both heights."""
        super().__init__(f"block {height} was shown, {next_height} comes next")
        self.next_height = next_height


@dataclass(frozen=True, slots=True)
class Followed:
    """What a block brought.

    Attributes:
        bindings: Requests that it bound.
        asks: Questions for derived keys.
        message: What the beacon of this height is over.
        generation: The generation at its end.
    """

    bindings: tuple[Binding, ...]
    asks: tuple[KeyAsk, ...]
    message: bytes
    generation: Hash32


@dataclass
class Follower:
    """The assembly as this enclave has followed it.

    Attributes:
        paused: Wallets that were paused since this start.
        revoked: Credentials that were revoked since this start, by wallet.
    """

    genesis: Genesis
    height: Height = Height(0)
    time: UnixSeconds = UnixSeconds(0)
    paused: set[WalletId] = field(default_factory=set)
    revoked: set[tuple[WalletId, Address]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin at the genesis."""
        self._block: Hash32 | None = None
        self._results: bytes | None = None
        self.time = seconds_of(self.genesis.time)
        self._take_over(MemoryPages())
        founders = self.genesis.founders()
        if founders:
            self.assembly.found(founders, Height(0), self.time, self.genesis.epoch_seconds)

    def sync(
        self, signed: SignedHeader, witness: dict[bytes, bytes], chain: Sequence[bytes]
    ) -> None:
        """Begin anew at a final header, whose app hash proves all pages before its block.

        Args:
            signed: The header, with its commit.
            witness: What leads from its app hash to the pages.
            chain: All successions since the genesis.

        Raises:
            NoSuccession, NotFinal, ForgedCommit, BrokenState: as their names say.
            Diverged: the pages name other members than the chain.
        """
        # 1. Members who follow from our genesis made the header final.
        genesis, named = self.genesis, signed.header.validators_hash
        steps = follow_chain(genesis, chain)
        signers = signers_of(genesis, steps, named)
        header = verify_commit(signed, signers, genesis.chain_text).header
        # 2. The pages that it proves name the same members, and these for its height.
        pages = read_pages(witness, Hash32(header.app_hash), genesis.network)
        begun = Assembly(pages, genesis.network)
        if begun.turning.handover.latest.link != steps[-1].link:
            raise Diverged("the pages name other members than the chain that was shown")
        if validators_at(begun, genesis, header.height).hash() != named:
            raise Diverged(f"others than these sign block {header.height}")
        self._take_over(pages)
        self.height = Height(header.height - 1)
        self.time = seconds_of(header.time)
        # Block 1 follows none.
        before = header.last_block_id.hash
        self._block = Hash32(before) if before else None
        self._results = header.last_results_hash
        self.paused.clear()
        self.revoked.clear()

    def follow(
        self, signed: SignedHeader, transactions: list[bytes], receipts: list[Receipt]
    ) -> Followed:
        """Take the next final block over.

        Raises:
            OutOfOrder: it is another block's turn.
            NotFinal, ForgedCommit: two thirds of the validators of its height did not sign it.
            Diverged: it does not continue what was shown before, or our code cannot follow it.
        """
        # 1. It is the next one, and final under the validators of its height.
        if signed.header.height != self.height + 1:
            raise OutOfOrder(signed.header.height, self.height + 1)
        signers = self.validators(signed.header.height)
        header = verify_commit(signed, signers, self.genesis.chain_text).header
        # 2. It continues the block before, and says of it what we were told.
        if self._block is not None and header.last_block_id.hash != self._block:
            raise Diverged(f"block {header.height} follows another block than the one shown")
        if self._results is not None and header.last_results_hash != self._results:
            raise Diverged(f"block {header.height - 1} had other results than the ones shown")
        # 3. The transactions are its own, and have one receipt each.
        if data_hash(transactions) != header.data_hash or len(transactions) != len(receipts):
            raise Diverged(f"these are not the transactions of block {header.height}")
        results = results_hash([result_of(receipt) for receipt in receipts])
        # 4. Its messages change the assembly; its receipts tell what requests took. All of it
        #    counts or nothing: who is refused here may be shown the block as it is.
        draft, time = DraftPages(self._pages), seconds_of(header.time)
        assembly = Assembly(draft, self.genesis.network)
        bindings, asks = list[Binding](), list[KeyAsk]()
        paused, revoked = set(self.paused), set(self.revoked)
        for position, (raw, receipt) in enumerate(zip(transactions, receipts, strict=True)):
            try:
                if raw[:1] == _MESSAGE:
                    _hear(assembly, raw, header.height, time)
                for log in receipt.logs:
                    if log.address == Keys.ADDRESS and log.topics[0] == KeyAsked.topic():
                        asks.append(read_ask(log, header.height))
                    if log.address != Wallets.ADDRESS:
                        continue
                    if log.topics[0] == RequestBound.topic():
                        binding = read_binding(log, header.height)
                        _spend(assembly, binding, header.height, time)
                        bindings.append(binding)
                    _notice(log, paused, revoked)
            except KeymootError:
                raise
            except Exception as error:
                raise Diverged(
                    f"transaction {receipt.transaction_hash.hex0x}, number {position} in block "
                    f"{header.height}, met a fault in this enclave's code: please report it"
                ) from error
        draft.keep()
        self.paused, self.revoked = paused, revoked
        self.height, self.time, self._results = header.height, time, results
        self._block = header.hash()
        generation = self.generation
        message = beacon_message(
            self.genesis.network, generation, header.height, self._block, results
        )
        return Followed(tuple(bindings), tuple(asks), message, generation)

    def validators(self, height: Height) -> ValidatorSet:
        """Give who signs the block at a height, up to two above the newest that was followed."""
        return validators_at(self.assembly, self.genesis, height)

    @property
    def generation(self) -> Hash32:
        """The present generation."""
        if not self.assembly.hall.founded:
            return Hash32(bytes(32))
        return self.assembly.hall.head.generation

    def stopped(self, binding: Binding) -> bool:
        """Tell whether a pause or a revocation came after a request was bound."""
        if binding.withdrawal:
            return False
        return binding.wallet in self.paused or (binding.wallet, binding.requester) in self.revoked

    def _take_over(self, pages: MemoryPages) -> None:
        self._pages = pages
        self.assembly = Assembly(pages, self.genesis.network)


def _hear(assembly: Assembly, raw: bytes, height: Height, time: UnixSeconds) -> None:
    try:
        assembly.apply(NodeMessage.decode(raw), height, time)
    except (Refused, Malformed):
        return


def _spend(assembly: Assembly, binding: Binding, height: Height, time: UnixSeconds) -> None:
    """Take what a request was bound to out of our own stock, as the ledger did.

    Raises:
        Diverged: it was not its turn.
    """
    if isinstance(binding.means, PresignatureId):
        if assembly.take(height, time) != binding.means:
            raise Diverged("a request was bound to a presignature whose turn it was not")
        return
    try:
        assembly.commitments.spend(binding.means)
    except Refused as error:
        raise Diverged(f"a request was bound to nonces whose turn it was not: {error}") from error


def _notice(log: Log, paused: set[WalletId], revoked: set[tuple[WalletId, Address]]) -> None:
    """Take over what a log of Wallets says of pauses and credentials."""
    if log.topics[0] == PauseSet.topic():
        told = PauseSet.read(log.topics, log.data)
        wallet = WalletId(told["wallet"])
        (paused.add if told["paused"] else paused.discard)(wallet)
    elif log.topics[0] == CredentialSet.topic():
        found = CredentialSet.read(log.topics, log.data)
        who = (WalletId(found["wallet"]), Address(found["credential"]))
        (revoked.discard if found["expires_at"] else revoked.add)(who)
