"""What is fuzzed.

A reader of strangers' bytes, what it is held against, and inputs to begin with.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One reader under test.

    Attributes:
        name: Of its row in the table, and of its folder of inputs.
        oracle: Whom it is held against; or which law it is held to.
        check: Is given the input. It may raise our own errors, and nothing else.
        seeds: Whole inputs, from which others are made.
        share: Its part of all cases, beside the other targets' parts.
        max_bytes: Longest input that is made.
    """

    name: str
    oracle: str
    check: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    share: int = 10
    max_bytes: int = 4_096
