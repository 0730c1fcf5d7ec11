"""Where enclaves hand the network's state secret over to the node that they are part of.

Each seat gives it when it has sealed it, and again whenever it joins. The first one counts,
and all must agree: a node whose seats disagree stops, for it could not tell which of them
opens what is sealed in the state.
"""

import asyncio

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.store.keys import StateKeys


class Handover:
    """The state keys of a node, and whoever waits for a disagreement over them."""

    def __init__(self, keys: StateKeys) -> None:
        """Fill `keys`; to be made where the event loop runs."""
        self.keys = keys
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, secret: Secret) -> None:
        """Take the secret over from a seat."""
        try:
            self.keys.take(secret)
        except Defect as error:
            if not self._broken.done():
                self._broken.set_exception(error)

    async def watch(self) -> None:
        """Wait until seats disagree.

        Raises:
            Defect: they do.
        """
        await self._broken
