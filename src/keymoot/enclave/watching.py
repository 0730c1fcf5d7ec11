"""What a start without the state secret sees: the committee at certified blocks, proven.

It executes nothing and signs no block. It says with which keys it started, asks for the state
key, and takes its part in the end of an epoch; all of that follows from public state.
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.statekey.version import version_in
from keymoot.enclave.publisher import PublishedState, Publisher
from keymoot.runtime.committee_pages import read_pages
from keymoot.store.header import Header
from keymoot.store.keys import StateKeys


class OldPlace(Refused, code="OLD_PLACE"):
    def __init__(self, height: Height, seen: Height) -> None:
        super().__init__(f"block {height} was shown, and block {seen} before: show newer ones")


class Watching:
    """The certified blocks that a start was shown; it sees newer ones only."""

    def __init__(self, network: NetworkId, speaker: Publisher, keys: StateKeys) -> None:
        self._network, self._speaker, self._keys = network, speaker, keys
        self._newest: Header | None = None

    def see(self, header: Header, witness: dict[bytes, bytes]) -> bool:
        """Take over the committee's pages after a certified block; tell whether we can execute now.

        The witness leads from its state root to every page, and is not believed.
        """
        self.check(header)
        pages = read_pages(witness, header.state_root, self._network)
        keys = self._keys.at(version_in(pages))
        if keys.held:
            return True
        self._newest = header
        seen = PublishedState(CommitteeMachine(pages, self._network), header.height, header.time)
        # What we are shown here comes from the host's disk.
        self._speaker.stored(header.height)
        self._speaker.see(seen, watching=True)
        return keys.held

    def check(self, header: Header) -> None:
        """Raise if a block is below the newest that was shown, or beside it."""
        newest = self._newest
        if newest is None or newest.hash == header.hash:
            return
        if header.height <= newest.height:
            raise OldPlace(header.height, newest.height)

    def knows(self, height: Height, name: Hash32) -> bool:
        """Tell whether a block is the newest that was shown."""
        newest = self._newest
        return newest is not None and (newest.height, newest.hash) == (height, name)
