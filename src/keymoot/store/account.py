"""An account of the ledger, as Ethereum's state trie keeps it."""

from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.fields import fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Nonce, Wei
from keymoot.crypto.keccak import EMPTY_CODE_HASH
from keymoot.store.trie import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Account:
    """Nonce, balance, storage root and code hash (Yellow Paper, section 4.1)."""

    nonce: Nonce = Nonce(0)
    balance: Wei = Wei(0)
    storage_root: Hash32 = EMPTY_ROOT
    code_hash: Hash32 = EMPTY_CODE_HASH

    def encode(self) -> bytes:
        """Give the trie's value; empty bytes for an account that is empty (EIP-161)."""
        if self == Account():
            return b""
        return rlp.encode([uint(self.nonce), uint(self.balance), self.storage_root, self.code_hash])

    @staticmethod
    def decode(raw: bytes) -> "Account":
        """Read the trie's value.

        Raises:
            Malformed: not an account.
        """
        fields = list_of(rlp.decode(raw), 4, "account")
        return Account(
            nonce=Nonce(uint_of(fields[0], "nonce", 8)),
            balance=Wei(uint_of(fields[1], "balance")),
            storage_root=fixed_of(fields[2], Hash32, "storageRoot"),
            code_hash=fixed_of(fields[3], Hash32, "codeHash"),
        )
