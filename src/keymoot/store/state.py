"""The state of the ledger at one root: accounts and their slots."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Nonce, Wei
from keymoot.crypto.keccak import EMPTY_CODE_HASH, keccak256_raw
from keymoot.store.account import AccountState
from keymoot.store.blobs import BlobCache
from keymoot.store.entry import has_blob, unpack
from keymoot.store.table import Batch, Table, read
from keymoot.store.trie import BrokenState, NodeCache, Trie

_ACCOUNTS, _STORAGE, _BLOBS = b"a", b"s", b"b"
_HASHES_KEPT = 4096
_PATHS_KEPT = _SLOTS_KEPT = 16_384
_KEPT_ENTRY_BYTES = 1_024
"""Longest cell that a state remembers by its place; longer ones may be in its `BlobCache`."""

STATE_PREFIXES = (_ACCOUNTS, _BLOBS, _STORAGE)
"""First bytes of the keys under which a state stands, in their order."""


@dataclass(frozen=True, slots=True)
class SlotValue:
    """A slot's value (no leading zeros, empty for absent) and the blob it names."""

    value: bytes = b""
    blob: bytes = b""


@dataclass(slots=True)
class StateChanges:
    """What one block wrote: the last value of each thing touched."""

    accounts: dict[Address, tuple[Nonce, Wei, Hash32]] = field(default_factory=dict)
    slots: dict[Address, dict[Bytes32, SlotValue]] = field(default_factory=dict)


class State:
    """Read a committed state, and work out what follows from changes. Changes nothing.

    Reading raises BrokenState where the table is not what was committed.
    """

    def __init__(
        self,
        table: Table,
        root: Hash32,
        cache: NodeCache | None = None,
        visited: set[bytes] | None = None,
        blobs: BlobCache | None = None,
    ) -> None:
        """`cache` and `blobs` were checked before; `visited` gets the keys of nodes used."""
        self._blobs = blobs if blobs is not None else BlobCache(0)
        self._visited = visited
        self.root = root
        self._table = table
        self._cache = cache if cache is not None else NodeCache(1024)
        self._accounts = Trie(table, _ACCOUNTS, root, self._cache, visited)
        self._storage: dict[Address, Trie] = {}
        self._known: dict[Address, AccountState] = {}
        self._hashes: dict[bytes, bytes] = {}
        self._slots: dict[tuple[Address, Bytes32], bytes] = {}
        self._entries: dict[tuple[Address, Bytes32], bytes] = {}

    def account(self, address: Address) -> AccountState:
        """An empty one where there is none."""
        known = self._known.get(address)
        if known is None:
            raw = self._accounts.get(self._hash(address))
            known = AccountState() if raw is None else AccountState.decode(raw)
            self._known[address] = known
        return known

    def slot(self, address: Address, slot: Bytes32) -> bytes:
        """Give a slot's value without leading zeros; empty for absent."""
        known = self._slots.get((address, slot))
        if known is None:
            raw = self._trie(address).get(_path(slot))
            value = b"" if raw is None else rlp.decode(raw)
            if not isinstance(value, bytes):
                raise BrokenState("a storage value")
            if len(self._slots) >= _SLOTS_KEPT:
                self._slots.clear()
            known = self._slots[address, slot] = value
        return known

    def entry(self, address: Address, slot: Bytes32) -> bytes | None:
        """The value of a cell (see `entry`), or None."""
        entry = self._entries.get((address, slot))
        if entry is None:
            entry = self._entry(address, slot)
            if entry is not None and len(entry) <= _KEPT_ENTRY_BYTES:
                if len(self._entries) >= _SLOTS_KEPT:
                    self._entries.clear()
                self._entries[address, slot] = entry
        return entry

    def _entry(self, address: Address, slot: Bytes32) -> bytes | None:
        value = self.slot(address, slot)
        if not value:
            return None
        blob = b""
        if has_blob(value):
            known = self._blobs.get(value)
            if known is not None:
                return known
            blob = read(self._table, self._blob_key(address, slot)) or b""
        try:
            content = unpack(value, blob)
        except Malformed as error:
            raise BrokenState("a value beside the state trie") from error
        if blob:
            self._blobs.put(value, blob)
        return content

    def prove_account(self, address: Address) -> list[bytes]:
        return self._accounts.prove(self._hash(address))

    def prove_slot(self, address: Address, slot: Bytes32) -> list[bytes]:
        """The nodes that prove a slot or its absence, under its storage root."""
        return self._trie(address).prove(_path(slot))

    def updated(self, changes: StateChanges) -> tuple[Hash32, Batch]:
        """The root and the table entries after `changes`; the same in any order."""
        batch: Batch = {}
        accounts = Trie(self._table, _ACCOUNTS, self.root, self._cache)
        for address in sorted(changes.accounts.keys() | changes.slots.keys()):
            account = self.account(address)
            if address in changes.accounts:
                nonce, balance, code_hash = changes.accounts[address]
                account = replace(account, nonce=nonce, balance=balance, code_hash=code_hash)
            if changes.slots.get(address):
                root = self._update_storage(address, account, changes.slots[address], batch)
                account = replace(account, storage_root=root)
            accounts.set(self._hash(address), account.encode())
        return accounts.commit(batch), batch

    def _update_storage(
        self, address: Address, account: AccountState, slots: dict[Bytes32, SlotValue], batch: Batch
    ) -> Hash32:
        prefix = _STORAGE + self._hash(address)
        trie = Trie(self._table, prefix, account.storage_root, self._cache)
        for slot in sorted(slots):
            write = slots[slot]
            trie.set(_path(slot), rlp.encode(write.value) if write.value else b"")
            if write.blob:
                self._blobs.put(write.value, write.blob)
                batch[self._blob_key(address, slot)] = write.blob
            else:
                batch[self._blob_key(address, slot)] = None
        return trie.commit(batch)

    def _trie(self, address: Address) -> Trie:
        trie = self._storage.get(address)
        if trie is None:
            prefix = _STORAGE + self._hash(address)
            root = self.account(address).storage_root
            trie = Trie(self._table, prefix, root, self._cache, self._visited)
            self._storage[address] = trie
        return trie

    def _blob_key(self, address: Address, slot: Bytes32) -> bytes:
        return _BLOBS + self._hash(address) + _path(slot)

    def _hash(self, address: Address) -> bytes:
        known = self._hashes.get(address)
        if known is None:
            if len(self._hashes) >= _HASHES_KEPT:
                self._hashes.clear()
            known = self._hashes[address] = keccak256_raw(address)
        return known


@lru_cache(maxsize=_PATHS_KEPT)
def _path(slot: Bytes32) -> bytes:
    return keccak256_raw(slot)


def entries_of(table: Table, root: Hash32) -> set[bytes]:
    """Walk a whole state, checking every entry; give the keys of all of them."""
    cache = NodeCache()
    blobs: set[bytes] = set()
    for path, raw in Trie(table, _ACCOUNTS, root, cache).walk(blobs):
        account = AccountState.decode(raw)
        storage = Trie(table, _STORAGE + path, account.storage_root, cache)
        for slot_path, value in storage.walk(blobs):
            slot = rlp.decode(value)
            # An account without code has no cells: its slots are words, whatever they begin with.
            cells = account.code_hash != EMPTY_CODE_HASH
            if cells and isinstance(slot, bytes) and has_blob(slot):
                key = _BLOBS + path + slot_path
                try:
                    unpack(slot, read(table, key) or b"")
                except Malformed as error:
                    raise BrokenState("a value beside the state trie") from error
                blobs.add(key)
    return blobs
