"""Every error of ours travels: between processes, and as a copy, it stays what it was."""

import copy
import importlib
import inspect
import pickle
import pkgutil
import typing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import keymoot
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Fixed
from keymoot.base.secret import Secret
from keymoot.policy.errors import PolicyRefused

pytest.importorskip("starlette")


def _errors() -> Iterator[type[BaseException]]:
    found = set()
    for module in pkgutil.walk_packages(keymoot.__path__, "keymoot."):
        if module.name.endswith("__main__"):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(thing) and issubclass(thing, BaseException):
                found.add(thing)
    ours = [one for one in found if one.__module__.startswith("keymoot.")]
    yield from sorted(ours, key=lambda one: (one.__module__, one.__qualname__))


def _value(kind: Any) -> Any:
    """Give a value of a parameter's type."""
    kind = getattr(kind, "__supertype__", kind)  # NewType
    if inspect.isclass(kind) and issubclass(kind, Fixed):
        return kind(b"\x07" * kind.LENGTH)
    options = typing.get_args(kind)
    if type(None) in options:
        return _value(options[0])
    plain: dict[Any, Any] = {
        str: "a word, and «more»",
        int: 7,
        float: 1.5,
        bytes: b"\x01\x02",
        type: Fixed,
        Path: Path("/somewhere"),
        frozenset: frozenset({1, 2}),
        tuple: (1, 2),
        list: ["one thing", "and another"],
        Mapping: {"http://one": "it is silent"},
        dict: {"reason": "NO_RULE", "limit": ["day", 5]},
        Any: {"code": 1},
        BaseException: ValueError("what another one said"),
    }
    origin = typing.get_origin(kind) or kind
    if origin not in plain:
        # A record of its own, such as a receipt.
        return SimpleNamespace(error="what the record says", error_code="WORD")
    return plain[origin]


def _made(kind: type[BaseException]) -> BaseException:
    has_own = next(one for one in kind.__mro__ if "__init__" in vars(one))
    if not has_own.__module__.startswith("keymoot."):
        return kind("a message")
    hints = typing.get_type_hints(has_own.__init__)
    names = [one for one in inspect.signature(has_own).parameters if one in hints]
    return kind(*(_value(hints[name]) for name in names))


ERRORS = list(_errors())


def test_there_are_errors_to_try() -> None:
    assert {Malformed, PolicyRefused} < set(ERRORS)
    assert len(ERRORS) > 100


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_an_error_arrives_as_it_left(kind: type[BaseException]) -> None:
    error = _made(kind)
    error.add_note("seen by node 3")
    pickled = (pickle.dumps(error, one) for one in range(2, pickle.HIGHEST_PROTOCOL + 1))
    copies = [pickle.loads(one) for one in pickled]  # noqa: S301
    for one in (*copies, copy.copy(error), copy.deepcopy(error)):
        assert type(one) is kind
        assert one is not error
        assert (str(one), repr(one), one.args) == (str(error), repr(error), error.args)
        assert vars(one) == vars(error)
        assert one.__notes__ == ["seen by node 3"]


def test_no_secret_leaves_in_an_error() -> None:
    error = Malformed("wrong", "key")
    error.secret = Secret(b"do not tell")  # type: ignore[attr-defined]
    assert "tell" not in repr(error) + str(error) + repr(vars(error))
    for carry in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="Secret"):
            carry(error)


def _refuse(number: int) -> int:
    if number == 1:
        raise PolicyRefused("keymoot refused: no rule", {"reason": "NO_RULE"})
    return number


def test_a_process_pool_lives_on_after_a_refusal() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with pytest.raises(PolicyRefused, match="no rule") as caught:
            pool.submit(_refuse, 1).result()
        assert caught.value.reason == "NO_RULE"
        assert pool.submit(_refuse, 2).result() == 2


def test_a_class_names_its_code_and_its_own_message() -> None:
    class Closed(Refused, code="CLOSED"):
        message = "closed: come again"

    class ClosedForGood(Closed):
        pass

    assert (Closed.code, str(Closed()), str(Closed("no"))) == ("CLOSED", "closed: come again", "no")
    assert (ClosedForGood.code, str(ClosedForGood())) == ("CLOSED", "closed: come again")
    assert Refused.code == "REFUSED"
