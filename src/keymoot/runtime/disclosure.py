"""How much a replica is to tell of a block that is certified."""

from enum import IntEnum


class Disclosure(IntEnum):
    """What is told of the blocks that a certificate covers."""

    NOTHING = 0
    DIGESTS = 1
    OUTCOMES = 2
