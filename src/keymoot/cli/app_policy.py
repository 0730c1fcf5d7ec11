"""An app's policy as commands show it, and what a change of it loosens.

Looser is whatever lets somebody in, or gives an instance something, where the policy before did
not. What code is admitted is left out: to change that is what a deployment is for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keymoot.base import hexes
from keymoot.base.shown import shown

if TYPE_CHECKING:
    from keymoot.contracts.builtin.apps.policy import AppPolicy


@dataclass(frozen=True, slots=True)
class Change:
    """One demand that is another one now, in words.

    Attributes:
        what: The demand.
        before: As it was.
        after: As it is then.
        looser: Whether more is admitted, or given, than was.
    """

    what: str
    before: str
    after: str
    looser: bool

    def __str__(self) -> str:
        return f"{self.what}: {self.before} → {self.after}{', looser' if self.looser else ''}"


@dataclass(frozen=True, slots=True)
class _Demand:
    """How one field of a policy is called, written for people and for programs, and compared."""

    what: str
    written: Callable[[Any], str]
    looser: Callable[[Any, Any], bool]
    told: Callable[[Any], Any]


def changes(now: "AppPolicy", then: "AppPolicy") -> tuple[Change, ...]:
    """Say what another policy demands otherwise; where nobody was let in, nothing is looser."""
    made = []
    for name, demand in _DEMANDS.items():
        before, after = getattr(now, name), getattr(then, name)
        if before != after:
            looser = bool(now.measurements) and demand.looser(before, after)
            made.append(Change(demand.what, demand.written(before), demand.written(after), looser))
    return tuple(made)


def shown_policy(policy: "AppPolicy") -> dict[str, Any]:
    """Give all that a policy says, for people and as JSON."""
    shown = {
        _json_name(name): demand.told(getattr(policy, name)) for name, demand in _DEMANDS.items()
    }
    return {"measurements": [measured.hex0x for measured in policy.measurements]} | shown


def policy_in_words(policy: "AppPolicy") -> dict[str, str]:
    """Give the same for people, by the same names: what an empty list means differs."""
    admitted = ", ".join(measured.hex0x for measured in policy.measurements) or "none"
    return {"measurements": admitted} | {
        _json_name(name): demand.written(getattr(policy, name)) for name, demand in _DEMANDS.items()
    }


def _json_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _listed(empty: str, text: Callable[[Any], str] = shown) -> Callable[[Collection[Any]], str]:
    return lambda values: ", ".join(map(text, values)) or empty


def _more(before: Collection[Any], after: Collection[Any]) -> bool:
    """Tell whether a list of what is admitted has something new."""
    return not set(after) <= set(before)


def _more_of_any(before: Collection[Any], after: Collection[Any]) -> bool:
    """Tell the same where an empty list admits everything."""
    return bool(before) and (not after or _more(before, after))


def _lower(before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    return any(part not in after or after[part] < least for part, least in before.items())


def _words(values: Collection[str]) -> list[str]:
    """Give an admin's own words: harmless to whoever reads them, in lines of their own."""
    return [shown(value) for value in values]


def _hex(value: bytes) -> str:
    return value.hex()


_DEMANDS: Final[Mapping[str, _Demand]] = {
    "vendors": _Demand("vendors", _listed("none"), _more, list),
    "lifetime_seconds": _Demand(
        "lifetime", lambda seconds: f"{seconds} s", lambda before, after: after > before, int
    ),
    "raw_keys": _Demand(
        "raw keys",
        lambda given: "given" if given else "refused",
        lambda before, after: after and not before,
        bool,
    ),
    "tcb_statuses": _Demand("TCB statuses", _listed("none"), _more, _words),
    "advisories": _Demand("advisories", _listed("none"), _more, _words),
    "tcb_parts": _Demand(
        "TCB parts",
        lambda parts: ", ".join(f"{shown(part)}={parts[part]}" for part in sorted(parts)) or "any",
        _lower,
        lambda parts: {shown(part): least for part, least in parts.items()},
    ),
    "chips": _Demand("chips", _listed("any", _hex), _more_of_any, lambda v: list(map(_hex, v))),
    "endorsers": _Demand(
        "endorsers",
        _listed("nobody has to", hexes.data),
        _more_of_any,
        lambda v: list(map(hexes.data, v)),
    ),
    "most_per_maker": _Demand(
        "most per maker",
        lambda most: str(most) if most else "no limit",
        lambda before, after: bool(before) and (not after or after > before),
        int,
    ),
}
"""The fields of a policy that a deployment keeps unless it is told otherwise."""
