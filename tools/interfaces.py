"""Write the Solidity interface of every built-in contract into docs/solidity.

python -m tools.interfaces
"""

from pathlib import Path

from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.framework.solidity import interface_of

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "solidity"

if __name__ == "__main__":
    for one in BUILT_IN:
        (FOLDER / f"I{one.name}.sol").write_text(interface_of(one))
