"""Which version of the state key the pages name: what the next block's state is sealed under."""

from keymoot.committee.page_store import Pages
from keymoot.committee.pages import FORMER_KEYS, PRESENT_KEY
from keymoot.committee.statekey.record import FormerVersions, StateKeyStatus
from keymoot.store.keys import Version


def version_in(pages: Pages) -> Version:
    """Give which state secret the next block uses."""
    status = PRESENT_KEY.status.read(pages) or StateKeyStatus()
    former = FORMER_KEYS.read(pages) or FormerVersions()
    return Version(status.name, former.versions)
