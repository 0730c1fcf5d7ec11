"""What goes wrong in a threshold protocol, and who did it.

A party is named by its index in the committee. `Cheated` is certain: what it rests
on is public or was opened with a proof, so everyone who looks reaches the same name.
"""

from keymoot.base.errors import Fault, Refused


class Cheated(Fault):
    """A party sent what no honest party sends."""

    code = "CHEATED"

    def __init__(self, party: int, what: str) -> None:
        """Name the party and the broken rule."""
        super().__init__(f"party {party}: {what}", f"party {party}", "known")
        self.party = party
        self.what = what


class TooFew(Refused):
    """Not enough good contributions; more may come."""

    code = "TOO_FEW"

    def __init__(self, what: str, have: int, need: int) -> None:
        """Show both counts."""
        super().__init__(f"{have} good {what}, {need} are needed")
        self.have = have
        self.need = need


class Spent(Refused):
    """A one-time secret was used, or wiped: it never serves again."""

    code = "SPENT"

    def __init__(self, what: str) -> None:
        """Name it."""
        super().__init__(f"{what} was used or wiped: it never serves again")


class BadCommittee(Refused):
    """Indices, sizes or degrees that no committee of ours has."""

    code = "BAD_COMMITTEE"
