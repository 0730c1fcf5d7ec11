"""Nodes: the assembly on the ledger, its seats, roots and stock, as pages that anyone can prove.

Nodes' messages change it (`runtime.execute`), by the state machine of `moot`; no call from
outside does. Wallets takes presignatures from it, and nobody else.
"""

from typing import Any

from keymoot.base.fixed import Address, Bytes32, NetworkId, SolanaAddress
from keymoot.contracts.cells import PublicMap
from keymoot.contracts.context import Context
from keymoot.contracts.contract import Contract, view
from keymoot.contracts.errors import KeyUseRefused
from keymoot.contracts.types import address, bytes32, dynamic_bytes, uint64
from keymoot.crypto.secp256k1 import address_of
from keymoot.moot.assembly import Assembly
from keymoot.moot.batch import PresignatureId
from keymoot.moot.hall import HEAD
from keymoot.moot.outcome import path_of
from keymoot.moot.roots import ECDSA, EDDSA
from keymoot.moot.slot import Slot
from keymoot.moot.statekey import FORMER, version_in, write_former
from keymoot.store.keys import Version, VersionKeys
from keymoot.store.public import PublicStore
from keymoot.threshold import derivation
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.secp256k1 import SECP256K1

WALLET_KEY_GAS = 20_000
"""Gas for computing a wallet's public key from the root."""

TAKE_GAS = 40_000
"""Gas for taking a presignature; what the pages cost comes on top."""


class CellPages:
    """The assembly's pages as cells of a store."""

    def __init__(self, store: PublicStore) -> None:
        """Read and write `store`."""
        self._store = store

    def get(self, name: str) -> bytes | None:
        """Give a page, or None."""
        return Nodes.pages.get(self._store, name.encode())

    def set(self, name: str, content: bytes | None) -> None:
        """Write a page; None removes it."""
        Nodes.pages.set(self._store, name.encode(), content)


class Nodes(Contract):
    """Keeps the assembly."""

    ADDRESS = Address(b"keymoot".ljust(19, b"\0") + b"\x03")

    pages = PublicMap("page", dynamic_bytes, dynamic_bytes)

    def assembly(self, ctx: Context) -> Assembly:
        """Give the assembly on this contract's pages."""
        return assembly_on(ctx.public_store(), ctx.block.network)

    def has_assembly(self, ctx: Context) -> bool:
        """Tell whether this network has one: a chain in memory may not."""
        return self.pages.get(ctx.public_store(), HEAD.encode()) is not None

    def wallet_account(self, ctx: Context, wallet: Bytes32) -> address:
        """Give the address of a wallet's key under the ECDSA root.

        Raises:
            NotReady: the roots are not made yet.
        """
        return address_of(SECP256K1.encode_uncompressed(self._wallet_key(ctx, ECDSA, wallet)))

    def solana_account(self, ctx: Context, wallet: Bytes32) -> SolanaAddress:
        """Give the address of a wallet's key under the Ed25519 root.

        Raises:
            NotReady: the roots are not made yet.
        """
        return SolanaAddress(EDWARDS25519.encode(self._wallet_key(ctx, EDDSA, wallet)))

    def _wallet_key(self, ctx: Context, name: str, wallet: Bytes32) -> Any:
        """Give the point that a wallet signs under: a child of the root of that name."""
        ctx.charge(WALLET_KEY_GAS)
        root = self.assembly(ctx).hall.root(name)
        epsilon = derivation.tweak(root, ctx.block.network, path_of(wallet))
        return derivation.child(root, epsilon)

    def take(self, ctx: Context) -> PresignatureId | None:
        """Bind the next presignature for the caller; None when the stock is empty.

        Raises:
            KeyUseRefused: the caller is not Wallets.
        """
        self._charge_taking(ctx)
        return self.assembly(ctx).take(ctx.block.height, ctx.block.time)

    def take_slots(self, ctx: Context, without: frozenset[int]) -> tuple[Slot, ...] | None:
        """Bind the next commitments of the signers whose turn it is; None when there are too few.

        Args:
            ctx: The call.
            without: Seats to leave out, if there are enough others.

        Raises:
            KeyUseRefused: the caller is not Wallets.
        """
        self._charge_taking(ctx)
        commitments = self.assembly(ctx).commitments
        slots = commitments.choose(without)
        if slots is not None:
            commitments.spend(slots)
        return slots

    def _charge_taking(self, ctx: Context) -> None:
        # Wallets' address, written out: Wallets imports this module.
        if ctx.sender != _WALLETS:
            raise KeyUseRefused
        ctx.charge(TAKE_GAS)

    @view
    def generation(self, ctx: Context) -> bytes32:
        """Give the generation; zeros before the first recovery."""
        return Bytes32(self.assembly(ctx).hall.head.generation)

    @view
    def page(self, ctx: Context, name: dynamic_bytes) -> dynamic_bytes:
        """Give a page of the assembly; empty where there is none."""
        return self.pages.get(ctx.public_store(), name) or b""

    @view
    def stock(self, ctx: Context) -> uint64:
        """Count the presignatures in stock."""
        return self.assembly(ctx).stock.left()


_WALLETS = Address(b"keymoot".ljust(19, b"\0") + b"\x02")


def assembly_on(store: PublicStore, network: NetworkId) -> Assembly:
    """Give the assembly on a store of Nodes."""
    return Assembly(CellPages(store), network)


def wrap_former(store: PublicStore, keys: VersionKeys) -> None:
    """Write the secret of the version before, sealed under the one that has come after it.

    The first block that uses the newer one does so. So whoever has the newest opens all values.

    Raises:
        Defect: one of the secrets is not here.
    """
    wrapped = keys.wrapped()
    if wrapped is not None:
        CellPages(store).set(FORMER, write_former(wrapped))


def state_version(store: PublicStore) -> Version:
    """Give which state secret the next block uses, as a store of Nodes says."""
    return version_in(CellPages(store))


def has_state_key(store: PublicStore, network: NetworkId) -> bool:
    """Tell whether confidential state may be used, as a store of Nodes says.

    Where there is no assembly, whoever runs the chain has given the keys.
    """
    assembly = assembly_on(store, network)
    return assembly.handout.standing.exists or not assembly.hall.founded
