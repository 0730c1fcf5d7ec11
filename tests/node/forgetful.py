"""`keymoot up` that keeps states and dealings of few blocks.

python -m tests.node.forgetful --data DATA --port PORT
"""

import runpy
import sys

from keymoot.engine import undo

KEPT = 8


def main() -> None:
    """Run the node; whoever takes the bound over is imported after this."""
    undo.KEPT_BLOCKS = KEPT
    sys.argv[1:1] = ["up"]
    runpy.run_module("keymoot.cli", run_name="__main__")


if __name__ == "__main__":
    main()
