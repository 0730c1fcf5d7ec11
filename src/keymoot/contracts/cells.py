"""Cells: the named, typed places in which a contract keeps its state.

A cell does not know a store; it is given one at each access, so that a reader of a
contract sees which values are open and which are sealed.
"""

from functools import lru_cache
from typing import Any, Generic, TypeVar

from keymoot.base import rlp
from keymoot.base.errors import Defect
from keymoot.contracts.types import codec_of
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.public import PublicStore

K = TypeVar("K")
V = TypeVar("V")


_KEPT_NAMES, _KEPT_NAME_BYTES = 16_384, 128
"""How many names of entries are remembered, and the longest of which: 4 MB."""


class WrongStore(Defect):
    """A cell was given the other kind of store: a secret would have been public."""

    code = "WRONG_STORE"

    def __init__(self, cell: str, wanted: type) -> None:
        """Name the cell and the store it needs."""
        super().__init__(f'the cell "{cell}" lives in a {wanted.__name__}: pass that one')


class _Place(Generic[V]):
    """What cells and maps of both kinds share."""

    _store: type[PublicStore] | type[ConfidentialStore]

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name
        self._value = codec_of(kind)

    def _read(self, store: Any, key: bytes) -> V | None:
        if not isinstance(store, self._store):
            raise WrongStore(self.name, self._store)
        raw = store.get(key)
        return None if raw is None else self._value.decode(raw)

    def _write(self, store: Any, key: bytes, value: V | None) -> None:
        if not isinstance(store, self._store):
            raise WrongStore(self.name, self._store)
        store.set(key, None if value is None else self._value.encode(value))


class _Cell(_Place[V]):
    def __init__(self, name: str, kind: type[V]) -> None:
        """Name one value of a type."""
        super().__init__(name, kind)
        self._key = rlp.encode([name.encode()])


class _Map(_Place[V], Generic[K, V]):
    def __init__(self, name: str, key: type[K], kind: type[V]) -> None:
        """Name many values of a type, each under a key of a type."""
        super().__init__(name, kind)
        self._name = name.encode()
        self._keys = codec_of(key)

    def _key(self, key: K) -> bytes:
        within = self._keys.encode(key)
        name = _name if len(within) <= _KEPT_NAME_BYTES else _long_name
        return name(self._name, within)


def _long_name(of_map: bytes, within: bytes) -> bytes:
    return rlp.encode([of_map, within])


_name = lru_cache(maxsize=_KEPT_NAMES)(_long_name)


class PublicCell(_Cell[V]):
    """One value that anyone may read, with proof."""

    _store = PublicStore

    def get(self, store: PublicStore) -> V | None:
        """Give the value, or None if it was never set."""
        return self._read(store, self._key)

    def set(self, store: PublicStore, value: V | None) -> None:
        """Set the value; None removes it."""
        self._write(store, self._key, value)


class ConfidentialCell(_Cell[V]):
    """One value that is sealed wherever it rests."""

    _store = ConfidentialStore

    def get(self, store: ConfidentialStore) -> V | None:
        """Give the value, or None if it was never set."""
        return self._read(store, self._key)

    def set(self, store: ConfidentialStore, value: V | None) -> None:
        """Set the value; None removes it."""
        self._write(store, self._key, value)


class PublicMap(_Map[K, V]):
    """Values by key that anyone may read, with proof."""

    _store = PublicStore

    def get(self, store: PublicStore, key: K) -> V | None:
        """Give the value under `key`, or None."""
        return self._read(store, self._key(key))

    def set(self, store: PublicStore, key: K, value: V | None) -> None:
        """Set the value under `key`; None removes it."""
        self._write(store, self._key(key), value)

    def slot_key(self, key: K) -> bytes:
        """Give the store's key of an entry, for proofs."""
        return self._key(key)


class ConfidentialMap(_Map[K, V]):
    """Values by key, sealed; which keys are used is hidden too."""

    _store = ConfidentialStore

    def get(self, store: ConfidentialStore, key: K) -> V | None:
        """Give the value under `key`, or None."""
        return self._read(store, self._key(key))

    def set(self, store: ConfidentialStore, key: K, value: V | None) -> None:
        """Set the value under `key`; None removes it."""
        self._write(store, self._key(key), value)
