"""Seats by their number, sets of them, and what each of several seats has, as pages say them.

In rising order, each seat once: so a page has one form, and whoever compares or hashes it
compares what it says.
"""

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

from keymoot.base.forms import U16

T = TypeVar("T")

Seats: TypeAlias = frozenset[U16]
BySeat: TypeAlias = Mapping[U16, T]
