"""A second network like one that runs: its enclaves' memories and disks, copied.

No host can do this where memory is protected. It saves tests the founding; and a few of them
look at what a copied start may do.
"""

import shutil
from pathlib import Path
from types import MethodType
from typing import Any

from keymoot.base.secret import Secret
from tests.enclave.box import Box
from tests.enclave.network import Network

_WHOLE = (Secret, Path, type)


def copied(network: Network, folder: Path) -> Network:
    """Copy a network, with its disks in another folder."""
    shutil.copytree(network.folder, folder)
    made = _copy(network, {})
    assert isinstance(made, Network)
    made.folder = folder
    for box in made.boxes.values():
        _move(box, folder / box.folder.name)
    return made


def clone(box: Box, folder: Path) -> Box:
    """Copy one running enclave with its disk; what the clone says is only in its `out`."""
    shutil.copytree(box.folder, folder)
    made = _copy(box, {id(box.say): _nothing, id(box.branch): box.branch})
    assert isinstance(made, Box)
    made.say = _nothing
    _move(made, folder)
    return made


def _move(box: Box, folder: Path) -> None:
    enclave = box.enclave
    box.folder = enclave.keep._folder = folder
    enclave._signed._path = folder / enclave._signed._path.name


def _nothing(_: bytes) -> None:
    pass


def _copy(one: Any, memo: dict[int, Any]) -> Any:
    if id(one) in memo:
        return memo[id(one)]
    if isinstance(one, dict):
        made = memo[id(one)] = type(one)()
        made.update({_copy(key, memo): _copy(value, memo) for key, value in one.items()})
        return made
    if type(one) in (list, set, tuple, frozenset):
        made = type(one)(_copy(each, memo) for each in one)
        memo[id(one)] = made
        return made
    if isinstance(one, MethodType):
        return MethodType(one.__func__, _copy(one.__self__, memo))
    return _instance(one, memo)


def _instance(one: Any, memo: dict[int, Any]) -> Any:
    """Copy an object of ours, field by field; all else is taken as it is."""
    kind = type(one)
    ours = kind.__module__.split(".")[0] in ("keymoot", "tests")
    if not ours or isinstance(one, (bytes, int, str, BaseException, *_WHOLE)):
        return one
    made = memo[id(one)] = object.__new__(kind)
    slots = [name for each in kind.__mro__ for name in _slots(each)]
    names = [name for name in slots if hasattr(one, name)] + list(getattr(one, "__dict__", {}))
    for name in names:
        object.__setattr__(made, name, _copy(getattr(one, name), memo))
    return made


def _slots(kind: type) -> tuple[str, ...]:
    found = vars(kind).get("__slots__", ())
    names = (found,) if isinstance(found, str) else tuple(found)
    hide = [name for name in names if name not in ("__weakref__", "__dict__")]
    return tuple(f"_{kind.__name__.lstrip('_')}{n}" if n.startswith("__") else n for n in hide)
