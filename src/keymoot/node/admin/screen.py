"""Where the node says things: stderr, of which a full disk or a closed terminal loses lines.

Lines are lost, the node is not: what it says is no part of what it does.
"""

import io
import os
from contextlib import suppress

STDERR = 2


class Screen(io.TextIOBase):
    """Writes through, a line at a time, and never fails."""

    def __init__(self, descriptor: int = STDERR) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        left = text.encode("utf-8", "replace")
        with suppress(OSError):
            while left:
                left = left[os.write(self._descriptor, left) :]
        return len(text)
