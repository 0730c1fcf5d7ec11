"""What can go wrong between another's package and an account."""

from keymoot.base.errors import Fault


class NotAsAsked(Fault, code="NOT_AS_ASKED"):
    """The package asked its wallet for another signature than the one for what it sends."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the package asked for a signature over something else than {what}: nothing was sent; "
            "use a version of it that this adapter names"
        )
