"""A contract's confidential store: blinded keys, sealed values.

A value is sealed with AES-256-GCM-SIV under its contract's key. The nonce is drawn from
the block's seed and the write's place in it, so replicas agree on the bytes, and no two
blocks repeat one, forks of one height neither; it stands beside the sealed value. Network,
contract, slot and version are authenticated, so a value does not open anywhere else. That it is
the newest one is the trie's word: a read is checked up to the committed root.

A value is sealed under the version of the state secret that its block uses, and opened under the
one that it names: whoever has left before it was written does not open it.

    entry     = version (4) ‖ nonce (12) ‖ AES-256-GCM-SIV(length (4) ‖ value ‖ zeros to a
                multiple of 32)
    nonce     = HMAC-SHA-256(blinding key, "nonce" ‖ seed (32) ‖ transaction (4) ‖ write (4))[:12]
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.crypto.sealing import NONCE_BYTES, SealBroken
from keymoot.store.errors import ReadOnly
from keymoot.store.journal import Journal
from keymoot.store.keys import ContractKeys, VersionKeys
from keymoot.store.meter import Meter
from keymoot.store.trie import BrokenState

PADDED_TO_BYTES = 32
"""Sealed values have lengths of multiples of this, so that a length tells little."""

MAX_WRITES = 0xFFFF

_LENGTH_BYTES = 4
_VERSION_BYTES = 4


class TooManyWrites(Refused, code="TOO_MANY_WRITES"):
    message = f"a transaction makes at most {MAX_WRITES} confidential writes: cut it up"


class SealingPlace:
    """Where in history values are sealed; one for each transaction, shared by its stores."""

    __slots__ = ("_position", "_seed", "_writes")

    def __init__(self, seed: Hash32, position: int) -> None:
        self._seed = seed
        self._position = position
        self._writes = 0

    def next_nonce(self, keys: ContractKeys) -> bytes:
        """Give 12 bytes that a contract's key has not sealed under before."""
        if self._writes >= MAX_WRITES:
            raise TooManyWrites
        self._writes += 1
        return keys.nonce(self._seed, self._position, self._writes)


class ConfidentialStore:
    """Cells of one contract by key, sealed; open only inside the enclave."""

    __slots__ = ("_aad", "_address", "_journal", "_keys", "_meter", "_place")

    def __init__(
        self,
        journal: Journal,
        address: Address,
        keys: VersionKeys,
        place: SealingPlace | None,
        meter: Meter,
    ) -> None:
        """Without a place it is read-only."""
        self._journal = journal
        self._address = address
        self._keys = keys.contract_keys(address)
        self._aad = keys.network + address
        self._place = place
        self._meter = meter

    def get(self, key: bytes) -> bytes | None:
        """BrokenState too where the entry was sealed for another place or key."""
        slot = self._keys.slot(key)
        sealed, warm = self._journal.read(self._address, slot)
        self._meter.charge_read(len(sealed or b""), warm=warm, confidential=True)
        return None if sealed is None else self._open(slot, sealed)

    def set(self, key: bytes, value: bytes | None) -> None:
        if self._place is None:
            raise ReadOnly
        slot = self._keys.slot(key)
        warm = self._journal.touch(self._address, slot)
        sealed = (
            None if value is None else self._seal(slot, value, self._place.next_nonce(self._keys))
        )
        self._meter.charge_write(len(sealed or b""), warm=warm, confidential=True)
        self._journal.set_entry(self._address, slot, sealed)

    def _seal(self, slot: Bytes32, value: bytes, nonce: bytes) -> bytes:
        padded = len(value).to_bytes(_LENGTH_BYTES, "big") + value
        padded += bytes(-len(padded) % PADDED_TO_BYTES)
        version = self._keys.version
        named = version.to_bytes(_VERSION_BYTES, "big")
        aad = self._aad + slot + named
        return named + nonce + self._keys.sealer(version).seal(nonce, padded, aad)

    def _open(self, slot: Bytes32, sealed: bytes) -> bytes:
        named, rest = sealed[:_VERSION_BYTES], sealed[_VERSION_BYTES:]
        nonce, rest = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        version = int.from_bytes(named, "big")
        if version > self._keys.version:
            raise BrokenState("a confidential cell")
        aad = self._aad + slot + named
        try:
            padded = self._keys.sealer(version).open(nonce, rest, aad, "a confidential cell")
        except SealBroken as error:
            raise BrokenState("a confidential cell") from error
        length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
        if length > len(padded) - _LENGTH_BYTES:
            raise BrokenState("a confidential cell")
        return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]
