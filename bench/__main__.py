"""Run every measurement in one run, so that ratios compare like with like.

python -m bench [floors|threshold|state|network …]
python -m bench load [MINUTES]
"""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import floors, load, network, state, threshold
from bench.row import Row

OUT = Path(__file__).resolve().parent.parent / "build" / "bench.json"
PARTS = {
    "floors": floors.measure,
    "threshold": threshold.measure,
    "state": state.measure,
    "network": network.measure,
}


def main() -> int:
    console = Console()
    wanted = sys.argv[1:] or list(PARTS)
    rows: list[Row] = []
    if wanted[0] == "load":
        console.print("measuring under load …")
        rows += load.measure(*map(float, wanted[1:]))
        wanted = []
    for name in wanted:
        console.print(f"measuring {name} …")
        rows += PARTS[name]()
    table = Table("what", "value", "unit", "goal", "", title="Keymoot bench (SIMULATED enclaves)")
    for row in rows:
        goal = "" if row.goal is None else f"{'≤' if row.better == 'lower' else '≥'} {row.goal:g}"
        mark = "" if row.goal is None else ("met" if row.met else "MISSED")
        table.add_row(row.name, f"{row.value:.4g}", row.unit, goal, mark)
    console.print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    console.print(f"written to {OUT.relative_to(OUT.parent.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
