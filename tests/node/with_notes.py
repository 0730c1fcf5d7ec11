"""`keymoot up` whose node and enclaves have one contract more: `Notes`, of confidential state.

python -m tests.node.with_notes --data DATA --port PORT    the node
python -m tests.node.with_notes --folder FOLDER …          one of its enclaves
"""

import runpy
import sys

from keymoot.contracts.builtin import registry
from keymoot.contracts.framework.registry import Deployment
from keymoot.enclave import client, process
from tests.contracts.notes import Notes


def main() -> None:
    """Run one of the two."""
    registry.BUILT_IN = (*registry.BUILT_IN, Deployment("Notes", Notes))
    if sys.argv[1:2] == ["--folder"]:
        process.main()
        return
    client.COMMAND, client.ENVIRONMENT = ("-m", "tests.node.with_notes"), None
    sys.argv[1:1] = ["up"]
    runpy.run_module("keymoot.cli", run_name="__main__")


if __name__ == "__main__":
    main()
