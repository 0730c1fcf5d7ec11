"""An account of the ledger, as Ethereum's state trie keeps it."""

from dataclasses import dataclass

from keymoot.base.fixed import Hash32
from keymoot.base.record import Record
from keymoot.base.units import Nonce, Wei
from keymoot.crypto.keccak import EMPTY_CODE_HASH
from keymoot.store.trie import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class AccountState(Record):
    """Nonce, balance, storage root and code hash (Yellow Paper, section 4.1)."""

    nonce: Nonce = Nonce(0)
    balance: Wei = Wei(0)
    storage_root: Hash32 = EMPTY_ROOT
    code_hash: Hash32 = EMPTY_CODE_HASH

    def encode(self) -> bytes:
        """The trie's value; empty bytes for an account that is empty (EIP-161)."""
        return b"" if self == AccountState() else Record.encode(self)
