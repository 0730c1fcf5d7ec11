"""Options that several commands share, with one wording."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from keymoot.cli import settings

if TYPE_CHECKING:
    from keymoot.agent.owner import Owner as Acting


def whole(_: Any, tokens: Sequence[Token]) -> int:
    """Read a whole number: 1.5 is a mistake, not 2."""
    try:
        return int(tokens[0].value)
    except ValueError as error:
        raise ValueError(f'"{tokens[0].value}" is not a whole number') from error


Whole = Annotated[int, Parameter(converter=whole)]
NotNegative = Annotated[Whole, Parameter(validator=Number(gte=0))]
Positive = Annotated[Whole, Parameter(validator=Number(gte=1))]
RawKeys = Annotated[bool, Parameter(negative="--no-raw-keys")]
Port = Annotated[
    int | None,
    Parameter(name=["--port", "-p"], converter=whole, validator=Number(gte=0, lte=65_535)),
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ActingOwner:
    """Who acts, and where.

    Attributes:
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
    """

    owner: Path
    url: str | None = None
    password_file: Path | None = None

    def open(self) -> "Acting":
        return settings.owner(self.url, self.owner, self.password_file)
