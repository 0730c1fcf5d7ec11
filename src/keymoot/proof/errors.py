"""Why something is not believed: each says what did not fit."""

from keymoot.base.errors import Fault, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height


class NotProven(Fault):
    """What was shown does not follow from what we know."""

    code = "NOT_PROVEN"


class OlderHeader(Refused):
    """A certified block from before the newest that we saw: its state is out of date."""

    code = "OLDER_HEADER"

    def __init__(self, shown: Height, seen: Height) -> None:
        """Show both heights."""
        super().__init__(
            f"block {shown} was shown, and block {seen} was seen before: this node is behind, "
            "or shows an old state: ask another one"
        )
        self.shown = shown
        self.seen = seen


class OtherBranch(Fault):
    """A certified block that does not build on the newest that we saw."""

    code = "OTHER_BRANCH"

    def __init__(self, height: Height, seen: Height, why: str) -> None:
        """Say where the branches part."""
        super().__init__(
            f"block {height} is on another branch than block {seen}, seen before: {why}"
        )
        self.height = height
        self.seen = seen


class DescentMissing(Refused):
    """A certified block of another generation, without proof that it builds on the one we saw.

    Attributes:
        seen: Height of the newest block that we saw.
        name: Its hash.
    """

    code = "DESCENT_MISSING"

    def __init__(self, height: Height, seen: Height, name: Hash32) -> None:
        """Say what to ask for."""
        super().__init__(
            f"block {height} is of another generation than block {seen} ({name.hex0x}), seen "
            "before: it is believed with a proof that it descends from that one"
        )
        self.seen = seen
        self.name = name
