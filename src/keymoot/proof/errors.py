"""Why something is not believed: each says what did not fit."""

from keymoot.base.errors import Fault, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height


class NotProven(Fault, code="NOT_PROVEN"):
    """What was shown does not follow from what we know."""


class OlderHeader(Refused, code="OLDER_HEADER"):
    """A certified block from before the newest that we saw: its state is out of date."""

    def __init__(self, shown: Height, seen: Height) -> None:
        super().__init__(
            f"block {shown} was shown, and block {seen} was seen before: this node is behind, "
            "or shows an old state: ask another one"
        )
        self.shown = shown
        self.seen = seen


class OtherBranch(Fault, code="OTHER_BRANCH"):
    """A certified block that does not build on the newest that we saw."""

    def __init__(self, height: Height, seen: Height, why: str) -> None:
        super().__init__(
            f"block {height} is on another branch than block {seen}, seen before: {why}"
        )
        self.height = height
        self.seen = seen


class DescentMissing(Refused, code="DESCENT_MISSING"):
    """A certified block of another generation, without proof that it builds on the one we saw."""

    def __init__(self, height: Height, seen: Height, name: Hash32) -> None:
        super().__init__(
            f"block {height} is of another generation than block {seen} ({name.hex0x}), seen "
            "before: it is believed with a proof that it descends from that one"
        )
        self.seen = seen
        self.name = name
