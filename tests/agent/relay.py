"""A live node, as far as the fronts of these tests need it."""

import json
import urllib.request
from contextlib import nullcontext
from typing import Any

from keymoot.base.fixed import Hash32
from tests.proof.world import World


class Relay:
    """Hands everything on."""

    def __init__(self, url: str) -> None:
        self.url, self.lock, self.world = url, nullcontext(), World()
        self.world.run(range(1))

    def rpc(self, method: str, params: list[Any]) -> dict[str, Any]:
        """Ask the node."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        asked = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked) as told:
            found = json.loads(told.read())
        return {name: found[name] for name in ("result", "error") if name in found}

    def share(self, key: Hash32) -> Any:
        """Read what is there for a request."""
        with urllib.request.urlopen(f"{self.url}/shares/{key.hex0x}?wait=500") as told:
            return json.loads(told.read())
