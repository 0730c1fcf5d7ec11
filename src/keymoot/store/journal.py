"""What a block has changed so far, with undo for transactions and calls."""

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Nonce, Wei
from keymoot.store.account import AccountState
from keymoot.store.entry import check_length, pack
from keymoot.store.state import SlotValue, State, StateChanges

_SlotKey = tuple[Address, Bytes32]


class Journal:
    """An overlay over one committed state; nothing reaches the state but by `changes`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._accounts: dict[Address, AccountState] = {}
        self._entries: dict[_SlotKey, bytes | None] = {}
        self._words: dict[_SlotKey, bytes] = {}
        self._undo: list[tuple[dict, object, object, bool]] = []  # type: ignore[type-arg]
        self._warm: set[_SlotKey] = set()

    def account(self, address: Address) -> AccountState:
        """The account as it stands now; its storage root is the committed one."""
        cached = self._accounts.get(address)
        return self._state.account(address) if cached is None else cached

    def set_nonce(self, address: Address, nonce: Nonce) -> None:
        now = self.account(address)
        changed = AccountState(nonce, now.balance, now.storage_root, now.code_hash)
        self._write(self._accounts, address, changed)

    def set_balance(self, address: Address, balance: Wei) -> None:
        if balance < 0:
            raise Defect("a balance would fall below zero")
        now = self.account(address)
        changed = AccountState(now.nonce, balance, now.storage_root, now.code_hash)
        self._write(self._accounts, address, changed)

    def set_code_hash(self, address: Address, code_hash: Hash32) -> None:
        now = self.account(address)
        changed = AccountState(now.nonce, now.balance, now.storage_root, code_hash)
        self._write(self._accounts, address, changed)

    def entry(self, address: Address, slot: Bytes32) -> bytes | None:
        key = (address, slot)
        if key in self._entries:
            return self._entries[key]
        return self._state.entry(address, slot)

    def read(self, address: Address, slot: Bytes32) -> tuple[bytes | None, bool]:
        """Note an access to a cell; give its value as `entry` does, and what `touch` tells."""
        key = (address, slot)
        warm = key in self._warm
        if not warm:
            self._warm.add(key)
        if key in self._entries:
            return self._entries[key], warm
        return self._state.entry(address, slot), warm

    def set_entry(self, address: Address, slot: Bytes32, value: bytes | None) -> None:
        if value is not None:
            check_length(value)
        self._write(self._entries, (address, slot), value)

    def slot(self, address: Address, slot: Bytes32) -> bytes:
        """A word that stands in its slot as it is, without leading zeros; `entry` reads cells."""
        word = self._words.get((address, slot))
        return self._state.slot(address, slot) if word is None else word

    def set_slot(self, address: Address, slot: Bytes32, word: Bytes32) -> None:
        """Set a word as it is, for accounts without cells; zero removes it."""
        self._write(self._words, (address, slot), word.lstrip(b"\0"))

    def touch(self, address: Address, slot: Bytes32) -> bool:
        """Note an access; tell whether this transaction had one before (EIP-2929)."""
        key = (address, slot)
        if key in self._warm:
            return True
        self._warm.add(key)
        return False

    def begin_transaction(self) -> None:
        """Forget what the last transaction touched; its undo is no longer possible."""
        self._warm.clear()
        self._undo.clear()

    def checkpoint(self) -> int:
        """Give a mark to which `revert` can return, in this transaction only."""
        return len(self._undo)

    def revert(self, mark: int) -> None:
        if mark > len(self._undo):
            raise Defect("a revert points past the journal's end")
        while len(self._undo) > mark:
            table, key, old, had = self._undo.pop()
            if had:
                table[key] = old
            else:
                del table[key]

    def changes(self) -> StateChanges:
        """Give the last value of everything written since the block began."""
        changes = StateChanges()
        for address, account in self._accounts.items():
            changes.accounts[address] = (account.nonce, account.balance, account.code_hash)
        for (address, slot), value in self._entries.items():
            write = SlotValue() if value is None else SlotValue(*pack(value))
            changes.slots.setdefault(address, {})[slot] = write
        for (address, slot), word in self._words.items():
            changes.slots.setdefault(address, {})[slot] = SlotValue(word)
        return changes

    def _write(self, table: dict, key: object, value: object) -> None:  # type: ignore[type-arg]
        self._undo.append((table, key, table.get(key), key in table))
        table[key] = value
