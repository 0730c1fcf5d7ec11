"""What goes wrong in a threshold protocol, and who did it.

A party is named by its index in the committee. `Cheated` is certain: what it rests
on is public or was opened with a proof, so everyone who looks reaches the same name.
"""

from keymoot.base.errors import Fault, Refused


class Cheated(Fault, code="CHEATED"):
    """A party sent what no honest party sends."""

    def __init__(self, party: int, what: str) -> None:
        super().__init__(f"party {party}: {what}", f"party {party}", "known")
        self.party = party
        self.what = what


class TooFew(Refused, code="TOO_FEW"):
    """Not enough good contributions; more may come."""

    def __init__(self, what: str, have: int, need: int) -> None:
        super().__init__(f"{have} good {what}, {need} are needed")
        self.have = have
        self.need = need


class Spent(Refused, code="SPENT"):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was used or wiped: it never serves again")


class BadCommittee(Refused, code="BAD_COMMITTEE"):
    """Indices, sizes or degrees that no committee of ours has."""
