"""A network whose keys are known: its founding, a state with committee and wallets, its blocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from keymoot.base import rlp
from keymoot.base.fields import uint
from keymoot.base.fixed import Address, Bytes32, Hash32, RequestId, WalletAddress, WalletId
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, Height, UnixNanos, UnixSeconds
from keymoot.committee.certified import certificate_message
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import BASE_FEE_WEI, Founder, Genesis, Member
from keymoot.committee.pages import EPOCH, HEAD
from keymoot.committee.record import CommitteeRecord
from keymoot.committee.reshare.record import Epoch
from keymoot.committee.roots import CERTIFICATE, ROOTS
from keymoot.committee.seat import Seat, SessionKeys
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import AGENT, REFUSED, RequestRecord
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, Book, Wallet
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key
from keymoot.policy.chains.evm.chain import EVM
from keymoot.policy.chains.solana.chain import SOLANA
from keymoot.proof.build import prove_committee
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import Shown
from keymoot.proof.committee import page_slot
from keymoot.proof.founding import Anchor, Founding
from keymoot.proof.log import index_slot, record_slot
from keymoot.proof.receipt import ReceiptProof
from keymoot.proof.wallet import account_of, wallet_slots
from keymoot.store.header import Header
from keymoot.store.history import HISTORY_ADDRESS, history_slot
from keymoot.store.journal import Journal
from keymoot.store.ordered import ordered_proof, ordered_root
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.committee import Committee
from keymoot.threshold.polynomial import commit
from keymoot.threshold.root import Root, Share, root_of
from keymoot.threshold.secp256k1 import SECP256K1

FIRST = Hash32(bytes(32))
"""The generation before the first recovery."""

BOOK = Book(quota=77, log_length=2)
POLICY = b'{"policy":"canonical"}'


def seed(*names: object) -> bytes:
    return bytes(keccak256(" ".join(str(one) for one in names).encode()))


def point(*names: object) -> bytes:
    return SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(seed(*names))))


def a_record(wallet: WalletId, index: int, outcome: bytes, status: str = REFUSED) -> RequestRecord:
    """Make the record of a request that nobody else has made."""
    return RequestRecord(
        wallet=wallet,
        index=index,
        requester=Address(b"a" * 20),
        kind=AGENT,
        request_id=RequestId(seed("request", index)),
        body=FIRST,
        height=Height(1),
        time=UnixSeconds(1_800_000_000),
        expires_at=UnixSeconds(1_800_000_100),
        status=status,
        method="eth_signTransaction",
        payload=b"p",
        digest=FIRST,
        reply_key=Bytes32(bytes(32)),
        policy_version=3,
        rule="",
        outcome=outcome,
    )


@dataclass
class World:
    """One network; other names make other ones."""

    name: str = "world"
    size: int = 4
    table: MemoryTable = field(default_factory=MemoryTable)

    def __post_init__(self) -> None:
        self.committee = Committee.of(self.size)
        self.secrets: dict[str, Secret] = {}
        self.roots = {kind.name: self._root(kind) for kind in ROOTS}
        self.genesis = Genesis(
            LEDGER_CHAIN_ID,
            development=True,
            base_fee=BASE_FEE_WEI,
            time=UnixNanos(1_800_000_000 * 10**9),
            members=tuple(self._member(at) for at in self.committee.indices),
            allocations=(),
        )
        self.network = self.genesis.network
        self.head = CommitteeRecord(self.committee.indices, FIRST, 0, frozenset(), (), 3_600)
        self.state = State(self.table, EMPTY_ROOT)
        self.pages = {
            HEAD.name: self.head.encode(),
            EPOCH.name: Epoch(0, Height(1), UnixSeconds(1)).encode(),
        }
        for kind in ROOTS:
            self.pages[f"root/{kind.name}"] = rlp.encode(self.roots[kind.name].encode())
        for at in self.committee.indices:
            self.pages[f"seat/{at}"] = self.seat(at).encode()
        self.change(self.pages)
        self.blocks: list[Header] = []

    # -- keys

    def _root(self, kind: Any) -> Root:
        degree = kind.degree(self.committee)
        polynomial = [
            kind.group.scalar(seed(self.name, kind.name, at) * 2) for at in range(degree + 1)
        ]
        self.secrets[kind.name] = polynomial[0]
        return root_of(kind.group, commit(kind.group, polynomial), self.size)

    def session(self, seat: int) -> Secret:
        return Secret(seed(self.name, "session", seat))

    def identity(self, seat: int) -> Secret:
        return Secret(seed(self.name, "identity", seat))

    def _member(self, seat: int) -> Member:
        identity = ed25519.public_key(self.identity(seat))
        session = SessionKeys(
            ed25519.public_key(self.session(seat)), point(self.name, "boot", seat)
        )
        founder = Founder(identity, point(self.name, "sealing", seat), session)
        return Member(identity, founder)

    def seat(self, at: int) -> Seat:
        one = self.genesis.founders()[at - 1]
        return Seat(one.identity, one.sealing, one.session, Height(0))

    # -- founding

    def record(self, height: int, block: Hash32) -> FoundingRecord:
        roots = {name: root.group.encode(root.public) for name, root in self.roots.items()}
        record = FoundingRecord(self.network, Height(height), block, roots)
        for at in self.committee.indices:
            record = record.signed(at, record.sign(self.session(at)))
        return record

    def founding(self, height: int = 9, block: Hash32 = FIRST) -> Founding:
        return Founding(self.genesis.encode(), self.record(height, block).encode())

    @property
    def verifying_key(self) -> bytes:
        root = self.roots[CERTIFICATE]
        return root.group.encode(root.public)

    @property
    def anchor(self) -> Anchor:
        return Anchor(self.network, self.verifying_key)

    # -- state

    def change(self, pages: dict[str, bytes | None]) -> None:
        journal = Journal(self.state)
        for name, page in pages.items():
            journal.set_entry(Nodes.ADDRESS, page_slot(name), page)
        self._commit(journal)

    def _commit(self, journal: Journal) -> None:
        root, batch = self.state.updated(journal.changes())
        self.table.apply(batch)
        self.state = State(self.table, root)

    def put_wallet(
        self,
        name: str = "one",
        policy: bytes | None = POLICY,
        account: WalletAddress | None = None,
        custody: int = BY_COMMITTEE,
        *,
        solana: bool = False,
    ) -> WalletId:
        wallet = WalletId(seed("wallet", name))
        computed = account_of(self.network, wallet, SOLANA if solana else EVM, self.roots)
        account = account or computed
        record = Wallet(
            owner=Address(b"o" * 20),
            recovery=type(account)(bytes([7]) * len(account)),
            account=account,
            paused=False,
            policy_version=0 if policy is None else 3,
            policy_hash=FIRST if policy is None else keccak256(policy),
            created_at=UnixSeconds(5),
            custody=custody,
        )
        self.put_record(wallet, record, policy, BOOK)
        return wallet

    def put_record(
        self, wallet: WalletId, record: Wallet, policy: bytes | None, book: Book
    ) -> None:
        journal = Journal(self.state)
        values = (record.encode(), policy, book.encode())
        for slot, value in zip(wallet_slots(wallet), values, strict=True):
            journal.set_entry(Wallets.ADDRESS, slot, value)
        self._commit(journal)

    def put_cells(self, address: Address, cells: dict[Bytes32, bytes | None]) -> None:
        """Change cells of a contract."""
        journal = Journal(self.state)
        for slot, value in cells.items():
            journal.set_entry(address, slot, value)
        self._commit(journal)

    def put_log(self, records: Iterable[RequestRecord]) -> None:
        """Write records and their places in the log; not the book."""
        for record in records:
            name = request_key(record.requester, record.request_id)
            cells = {record_slot(name): record.encode()}
            cells[index_slot(record.wallet, record.index)] = bytes(name)
            self.put_cells(Wallets.ADDRESS, cells)

    def put_policy(self, wallet: WalletId, policy: bytes | None) -> None:
        """Change the policy behind the record's back: no contract does that."""
        journal = Journal(self.state)
        journal.set_entry(Wallets.ADDRESS, wallet_slots(wallet)[1], policy)
        self._commit(journal)

    # -- blocks

    def block(
        self,
        generation: Hash32 | None = None,
        mark: int = 0,
        included: Sequence[tuple[bytes, bytes]] = (),
    ) -> Header:
        """Add a block, as the state is now; `mark` makes one that differs.

        Args:
            generation: The one that begins with it; None for the one before.
            mark: Gas that it used.
            included: Transactions of it, each with its receipt, as its roots have them.
        """
        if generation is not None and generation != self.head.generation:
            self.head = replace(self.head, generation=generation)
            self.change({HEAD.name: self.head.encode()})
        height = len(self.blocks) + 1
        parent = self.blocks[-1].hash if self.blocks else Hash32(self.network)
        journal = Journal(self.state)
        journal.set_slot(HISTORY_ADDRESS, history_slot(Height(height - 1)), Bytes32(parent))
        self._commit(journal)
        self.blocks.append(
            Header(
                parent_hash=parent,
                state_root=self.state.root,
                transactions_root=ordered_root([raw for raw, _ in included]),
                receipts_root=ordered_root([receipt for _, receipt in included]),
                logs_bloom=bytes(256),
                height=Height(height),
                gas_limit=Gas(30_000_000),
                gas_used=Gas(mark),
                time=UnixSeconds(1_800_000_000 + height),
                generation=self.head.generation,
                mix_hash=FIRST,
                base_fee=BASE_FEE_WEI,
            )
        )
        return self.blocks[-1]

    def certify(self, header: Header) -> Shown:
        message = certificate_message(self.network, header.generation, header.height, header.hash)
        # The root's own key, which nobody has: as any degree+1 shares of it would sign.
        whole = Share(0, self.secrets[CERTIFICATE], self.roots[CERTIFICATE])
        return Shown(header, G1.encode(bls.sign(whole, message)))

    def receipt_of(self, raw: bytes, status: int) -> ReceiptProof:
        """Add a block with one transaction, which ends with a status; prove its receipt."""
        kind = b"" if raw[0] >= 0xC0 else raw[:1]
        receipt = kind + rlp.encode([uint(status), uint(21_000), bytes(256), []])
        header = self.block(included=[(raw, receipt)])
        proofs = (tuple(ordered_proof([item], 0)) for item in (raw, receipt))
        return ReceiptProof(self.certify(header), (), 0, *proofs)

    def committee_bundle(self) -> ProofBundle:
        return ProofBundle(self.certify(self.block()), prove_committee(self.state))

    def branch(self, height: int) -> "World":
        """The same network as it was after a block, to go another way from there."""
        other = World(self.name, self.size)
        for header in self.blocks[:height]:
            assert other.block(header.generation, header.gas_used) == header
        return other

    def run(self, marks: Iterable[int]) -> None:
        for mark in marks:
            self.block(mark=mark)
