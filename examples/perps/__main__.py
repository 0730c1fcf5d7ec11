"""Runs all of it.

pip install 'keymoot[node]' hyperliquid-python-sdk
python examples/perps
"""

import sys

try:
    from run import main

    from keymoot.agent.program import program
except ModuleNotFoundError as absent:
    needed = "pip install 'keymoot[node]' hyperliquid-python-sdk"
    raise SystemExit(f"{absent.name} is missing: {needed}") from None

if __name__ == "__main__":
    with program():
        sys.exit(main())
