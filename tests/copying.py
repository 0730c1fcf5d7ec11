"""A copy of a whole network in memory: what it takes seconds to found is founded once.

`copy.deepcopy` goes no further than a `Secret`, which refuses to be copied; here it is taken as it
is, as is whatever is not ours.
"""

from pathlib import Path
from types import MethodType
from typing import Any

from keymoot.base.secret import Secret

_WHOLE = (Secret, Path, type)


def copy_of(one: Any, memo: dict[int, Any]) -> Any:
    """Copy an object; `memo` has, by the `id` of what is met, what stands in its place."""
    if id(one) in memo:
        return memo[id(one)]
    if isinstance(one, dict):
        made = memo[id(one)] = type(one)()
        made.update({copy_of(key, memo): copy_of(value, memo) for key, value in one.items()})
        return made
    if type(one) in (list, set, tuple, frozenset):
        made = type(one)(copy_of(each, memo) for each in one)
        memo[id(one)] = made
        return made
    if isinstance(one, MethodType):
        return MethodType(one.__func__, copy_of(one.__self__, memo))
    return _instance(one, memo)


def _instance(one: Any, memo: dict[int, Any]) -> Any:
    """Copy an object of ours, field by field; all else is taken as it is."""
    kind = type(one)
    if not _ours(kind.__module__) or isinstance(one, (bytes, int, str, BaseException, *_WHOLE)):
        return one
    made = memo[id(one)] = object.__new__(kind)
    slots = [name for each in kind.__mro__ for name in _slots(each)]
    names = [name for name in slots if hasattr(one, name)] + list(getattr(one, "__dict__", {}))
    for name in names:
        object.__setattr__(made, name, copy_of(getattr(one, name), memo))
    return made


def _ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in ("keymoot", "tests")


def _slots(kind: type) -> tuple[str, ...]:
    found = vars(kind).get("__slots__", ())
    names = (found,) if isinstance(found, str) else tuple(found)
    hide = [name for name in names if name not in ("__weakref__", "__dict__")]
    return tuple(f"_{kind.__name__.lstrip('_')}{n}" if n.startswith("__") else n for n in hide)
