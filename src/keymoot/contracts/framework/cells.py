"""Cells: the named, typed places in which a contract keeps its state.

A cell does not know a store; it is given one at each access, so that a reader of a
contract sees which values are open and which are sealed.
"""

from functools import lru_cache
from typing import Any, Generic, TypeVar

from keymoot.base import rlp
from keymoot.base.errors import Defect
from keymoot.contracts.framework.types import codec_of
from keymoot.store.confidential import ConfidentialStore
from keymoot.store.public import PublicStore

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S", PublicStore, ConfidentialStore)


_KEPT_NAMES, _KEPT_NAME_BYTES = 16_384, 128
"""How many names of entries are remembered, and the longest of which: 4 MB."""


class WrongStore(Defect, code="WRONG_STORE"):
    """A cell was given the other kind of store: a secret would have been public."""

    def __init__(self, cell: str, wanted: type) -> None:
        super().__init__(f'the cell "{cell}" lives in a {wanted.__name__}: pass that one')


class _Place(Generic[S, V]):
    """What cells and maps of both kinds share."""

    _store: type[S]

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name
        self._value = codec_of(kind)

    def _read(self, store: S, key: bytes) -> V | None:
        raw = self._checked(store).get(key)
        return None if raw is None else self._value.decode(raw)

    def _write(self, store: S, key: bytes, value: V | None) -> None:
        self._checked(store).set(key, None if value is None else self._value.encode(value))

    def _checked(self, store: S) -> S:
        if not isinstance(store, self._store):
            raise WrongStore(self.name, self._store)
        return store


class _Cell(_Place[S, V]):
    def __init__(self, name: str, kind: type[V]) -> None:
        super().__init__(name, kind)
        self._key = rlp.encode([name.encode()])

    def get(self, store: S) -> V | None:
        """Give the value, or None if it was never set."""
        return self._read(store, self._key)

    def set(self, store: S, value: V | None) -> None:
        """Set the value; None removes it."""
        self._write(store, self._key, value)


class _Map(_Place[S, V], Generic[S, K, V]):
    def __init__(self, name: str, key: type[K], kind: type[V]) -> None:
        super().__init__(name, kind)
        self._name = name.encode()
        self._keys = codec_of(key)

    def get(self, store: S, key: K) -> V | None:
        """Give the value under `key`, or None."""
        return self._read(store, self.slot_key(key))

    def set(self, store: S, key: K, value: V | None) -> None:
        """Set the value under `key`; None removes it."""
        self._write(store, self.slot_key(key), value)

    def slot_key(self, key: K) -> bytes:
        """Give the store's key of an entry, for proofs."""
        within = self._keys.encode(key)
        name = _name if len(within) <= _KEPT_NAME_BYTES else _long_name
        return name(self._name, within)


def _long_name(of_map: bytes, within: bytes) -> bytes:
    return rlp.encode([of_map, within])


_name = lru_cache(maxsize=_KEPT_NAMES)(_long_name)


class PublicCell(_Cell[PublicStore, V]):
    """One value that anyone may read, with proof."""

    _store = PublicStore


class ConfidentialCell(_Cell[ConfidentialStore, V]):
    """One value that is sealed wherever it rests."""

    _store = ConfidentialStore


class PublicMap(_Map[PublicStore, K, V]):
    """Values by key that anyone may read, with proof."""

    _store = PublicStore


class ConfidentialMap(_Map[ConfidentialStore, K, V]):
    """Values by key, sealed; which keys are used is hidden too."""

    _store = ConfidentialStore
