"""What a start without the state secret sees: the assembly at certified blocks, proven.

It executes nothing and signs no block. It says with which keys it started, asks for the state
key, and takes its part in the end of an epoch; all of that follows from public state.
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.enclave.speaker import Seen, Speaker
from keymoot.moot.assembly import Assembly
from keymoot.moot.statekey import version_in
from keymoot.runtime.assembly import read_pages
from keymoot.store.header import Header
from keymoot.store.keys import StateKeys


class OldPlace(Refused):
    """A block was shown that is below one which was shown before."""

    code = "OLD_PLACE"

    def __init__(self, height: Height, seen: Height) -> None:
        """Name both heights."""
        super().__init__(f"block {height} was shown, and block {seen} before: show newer ones")


class Watching:
    """The certified blocks that a start was shown; it sees newer ones only."""

    def __init__(self, network: NetworkId, speaker: Speaker, keys: StateKeys) -> None:
        """See nothing yet; `keys` take secrets over when they come."""
        self._network, self._speaker, self._keys = network, speaker, keys
        self._newest: Header | None = None

    def see(self, header: Header, witness: dict[bytes, bytes]) -> bool:
        """Take over the assembly's pages in the state after a block, if we cannot execute the next.

        Tell whether we can now.

        Args:
            header: Of the block; its certificate was checked.
            witness: What leads from its state root to every page; not believed.

        Raises:
            OldPlace: a later block was shown before.
            BrokenState: the witness does not lead to the root, or lacks a part.
        """
        self.check(header)
        pages = read_pages(witness, header.state_root, self._network)
        keys = self._keys.at(version_in(pages))
        if keys.held:
            return True
        self._newest = header
        seen = Seen(Assembly(pages, self._network), header.height, header.time)
        # What we are shown here comes from the host's disk.
        self._speaker.stored(header.height)
        self._speaker.see(seen, watching=True)
        return keys.held

    def check(self, header: Header) -> None:
        """Raise if a block is below the newest that was shown, or beside it.

        Raises:
            OldPlace: it is.
        """
        newest = self._newest
        if newest is None or newest.hash == header.hash:
            return
        if header.height <= newest.height:
            raise OldPlace(header.height, newest.height)

    def knows(self, height: Height, name: Hash32) -> bool:
        """Tell whether a block is the newest that was shown."""
        newest = self._newest
        return newest is not None and (newest.height, newest.hash) == (height, name)
