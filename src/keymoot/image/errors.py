"""Why a folder does not make a bundle."""

from keymoot.base.errors import Refused


class NoBundle(Refused, code="NO_BUNDLE"):
    """A folder that would not give the same bundle everywhere, or one that tells secrets."""


class NotTheSame(Refused, code="NOT_THE_SAME"):
    """What was built here is not what somebody says it is."""
