"""How one chain's addresses are read and written, and what a policy may say of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keymoot.base.fixed import Fixed
from keymoot.base.strict_json import Json


@dataclass(frozen=True, slots=True, eq=False)
class AddressForm:
    """The addresses of one chain; there is one for each type of address.

    Attributes:
        kind: What a condition calls a value of this form.
        type: Their bytes, of one fixed length.
        parse: Reads one as people write it, at a path; raises BadPolicy.
        write: Writes one as people do.
        read_known: Reads those that were read before, without their checksums; None: as others.
        most: Addresses in all sets of a policy together, at most.
        several_names: Whether two addresses may be two names of one thing, as an owner's and
            its token account's: then different ones do not exclude each other.
    """

    kind: str
    type: type[Fixed]
    parse: Callable[[object, str], Any]
    write: Callable[[Any], str]
    read_known: Callable[[Sequence[Json]], list[Any]] | None = None
    most: int = 256
    several_names: bool = False
