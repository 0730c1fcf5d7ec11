"""docs/daemon.md names every route that is served, and none that is not."""

import re
from pathlib import Path

from keymoot.daemon.run import Daemon
from tests.daemon.instance import MemoryInstance

PAGE = Path(__file__).parents[2] / "docs/daemon.md"


def test_the_page_has_every_route() -> None:
    table = PAGE.read_text().split("## Routes")[1].split("## What the agent")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {path for cell in cells for path in re.findall(r"(/[\w/.-]+)`", cell)}
    served = {
        path.replace("/mine/", "/NAME/") for path in Daemon(MemoryInstance(), print).router.paths
    }
    assert named == served
