"""The checkout that this runs from, and the machine's free ports."""

import random
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout; the demo needs its node_modules and build folders."""


_PORTS = range(10_000, 32_000)
"""Below those that Linux gives to whoever connects somewhere: none is taken by chance meanwhile."""


def free_port() -> int:
    """Give a TCP port that nobody uses now, and that no other process is given while this runs."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311  nothing is secret about it
        reserved = socket.socket(socket.AF_UNIX)
        try:
            # A name without a file, which ends with this process.
            reserved.bind(f"\0keymoot port {port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            reserved.close()
            continue
        reserved.detach()
        return port
