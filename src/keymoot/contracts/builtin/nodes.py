"""Nodes: the committee on the ledger, its seats, roots and stock, as pages that anyone can prove.

Nodes' messages change it (`runtime.execute`), by the state machine of `committee`; no call from
outside does. Wallets takes presignatures from it, and nobody else.
"""

from keymoot.attest.vendors import NOTHING_POSTED, Posted
from keymoot.base.fixed import Bytes32, NetworkId, WalletId
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.nonces.record import SignerCommitment
from keymoot.committee.pages import ATTESTATION, FORMER_KEYS, HEAD
from keymoot.committee.presign.record import PresignatureId
from keymoot.committee.statekey.record import FormerVersions
from keymoot.committee.statekey.version import version_in
from keymoot.committee.wallet_key import wallet_key
from keymoot.contracts.framework.cells import PublicMap
from keymoot.contracts.framework.context import Context
from keymoot.contracts.framework.contract import Contract, built_in, internal, view
from keymoot.contracts.framework.errors import KeyUseRefused
from keymoot.contracts.framework.types import uint64
from keymoot.crypto.scheme import Scheme
from keymoot.store.keys import Version, VersionKeys
from keymoot.store.public import PublicStore

WALLET_KEY_GAS = 20_000
"""Gas for computing a wallet's public key from the root."""

_TAKER = "Wallets"
"""Who may take from the stock, by its name in the registry."""

TAKE_GAS = 40_000
"""Gas for taking a presignature; what the pages cost comes on top."""


class CellPages:
    """The committee's pages as cells of a store."""

    def __init__(self, store: PublicStore) -> None:
        self._store = store

    def get(self, name: str) -> bytes | None:
        return Nodes.pages.get(self._store, name.encode())

    def set(self, name: str, content: bytes | None) -> None:
        Nodes.pages.set(self._store, name.encode(), content)


class Nodes(Contract):
    """Keeps the committee."""

    ADDRESS = built_in(3)

    pages = PublicMap("page", bytes, bytes)

    def machine(self, ctx: Context) -> CommitteeMachine:
        return committee_on(ctx.public_store(), ctx.block.network)

    @internal
    def has_committee(self, ctx: Context) -> bool:
        """Tell whether this network has one: a chain in memory may not."""
        return HEAD.stands(CellPages(ctx.public_store()))

    @internal
    def admits_simulated(self, ctx: Context) -> bool:
        """Tell whether evidence counts here that protects nothing, as the genesis says."""
        attestation = ATTESTATION.read(CellPages(ctx.public_store()))
        return attestation is not None and attestation.simulated

    @internal
    def wallet_key(self, ctx: Context, scheme: Scheme, wallet: WalletId) -> bytes:
        """Give the public key that a wallet of that scheme signs under.

        NotReady before the roots.
        """
        ctx.charge(WALLET_KEY_GAS)
        root = self.machine(ctx).state.root(scheme.root)
        return wallet_key(scheme, root, ctx.block.network, wallet)

    @internal
    def take(self, ctx: Context) -> PresignatureId | None:
        """Bind the next presignature for Wallets, the only caller; None when the stock is empty."""
        self._charge_taking(ctx)
        return self.machine(ctx).take(ctx.block.height, ctx.block.time)

    @internal
    def take_slots(
        self, ctx: Context, without: frozenset[int]
    ) -> tuple[SignerCommitment, ...] | None:
        """Bind the next commitments of the signers whose turn it is; None when there are too few.

        Seats of `without` are left out, if there are enough others. Only Wallets may call it.
        """
        self._charge_taking(ctx)
        commitments = self.machine(ctx).nonces
        slots = commitments.choose(without)
        if slots is not None:
            commitments.spend(slots)
        return slots

    def _charge_taking(self, ctx: Context) -> None:
        if ctx.calling_contract != _TAKER:
            raise KeyUseRefused
        ctx.charge(TAKE_GAS)

    @view
    def generation(self, ctx: Context) -> Bytes32:
        """Give the generation; zeros before the first recovery."""
        return Bytes32(self.machine(ctx).state.record.generation)

    @view
    def page(self, ctx: Context, name: bytes) -> bytes:
        """Give a page of the committee; empty where there is none."""
        return self.pages.get(ctx.public_store(), name) or b""

    @view
    def stock(self, ctx: Context) -> uint64:
        """Count the presignatures in stock."""
        return self.machine(ctx).stock.left()


def committee_on(
    store: PublicStore, network: NetworkId, posted: Posted = NOTHING_POSTED
) -> CommitteeMachine:
    """Give the committee; `posted` is what vendors publish, if messages are to be executed."""
    return CommitteeMachine(CellPages(store), network, posted)


def wrap_former(store: PublicStore, keys: VersionKeys) -> None:
    """Write the secret of the version before, sealed under the one that has come after it.

    The first block that uses the newer one does so. So whoever has the newest opens all values.
    """
    wrapped = keys.wrapped()
    if wrapped is not None:
        FORMER_KEYS.write(CellPages(store), FormerVersions(wrapped))


def state_version(store: PublicStore) -> Version:
    return version_in(CellPages(store))


def has_state_key(store: PublicStore, network: NetworkId) -> bool:
    """Tell whether confidential state may be used, as a store of Nodes says.

    Where there is no committee, whoever runs the chain has given the keys.
    """
    machine = committee_on(store, network)
    return machine.state_key.status.exists or not machine.state.founded
