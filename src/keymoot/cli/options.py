"""Options that several commands share, with one wording."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

from keymoot.cli import settings

if TYPE_CHECKING:
    from keymoot.agent.owner import Owner as Acting


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
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
        """Open the keystore and connect."""
        return settings.owner(self.url, self.owner, self.password_file)
