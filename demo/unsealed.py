"""A test double: the same network with sealing replaced by nothing at all.

It exists to show that the search for keys works: here it must find one. No command of
`keymoot` runs it.
"""

import sys
from pathlib import Path

from keymoot.base.secret import Secret
from keymoot.enclave import client, process
from keymoot.node.config import Config, default_fuse
from keymoot.node.server import serve
from keymoot.store import keys


class NoSealer:
    """Has the face of `Sealer`, and hides nothing."""

    def __init__(self, key: Secret) -> None:
        """Ignore the key."""

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Give the plaintext."""
        del nonce, aad
        return plaintext

    def open(self, nonce: bytes, sealed: bytes, aad: bytes, what: str) -> bytes:
        """Give what was given."""
        del nonce, aad, what
        return sealed


def main() -> int:
    """Run the double: --data DIR --port N; or one of its enclaves, as it starts them."""
    if "--folder" in sys.argv:
        setattr(keys, "Sealer", NoSealer)  # noqa: B010  the point of this file
        return process.main()
    client.COMMAND, client.ENVIRONMENT = ("-m", "demo.unsealed"), None
    _, _, data, _, port = sys.argv
    return serve(Config(Path(data), default_fuse(), port=int(port)))


if __name__ == "__main__":
    sys.exit(main())
