"""Run every measurement in one run, so that ratios compare like with like.

python -m bench [pace|floors|threshold|evidence|typed-data|instances|state|reads|requests|…]
python -m bench load [MINUTES]
python -m bench versus CHECKOUT [SECONDS]
"""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    daemon,
    evidence,
    floors,
    instances,
    load,
    network,
    pace,
    reads,
    requests,
    start,
    state,
    threshold,
    typed_data,
    versus,
    worst,
)
from bench.row import Row

OUT = Path(__file__).resolve().parent.parent / "build" / "bench.json"
PARTS = {
    "pace": pace.measure,
    "floors": floors.measure,
    "threshold": threshold.measure,
    "evidence": evidence.measure,
    "typed-data": typed_data.measure,
    "instances": instances.measure,
    "state": state.measure,
    "reads": reads.measure,
    "requests": requests.measure,
    "worst": worst.measure,
    "start": start.measure,
    "network": network.measure,
    "daemon": daemon.measure,
}


def main() -> int:
    console = Console()
    wanted = sys.argv[1:] or list(PARTS)
    rows: list[Row] = []
    if wanted[0] == "load":
        console.print("measuring under load …")
        rows = pace.measure() + load.measure(*map(float, wanted[1:]))
    elif wanted[0] == "versus":
        console.print("measuring this version beside another …")
        rows = pace.measure() + versus.measure(wanted[1], *map(float, wanted[2:]))
    elif unknown := [name for name in wanted if name not in PARTS]:
        print(f"there is no part {unknown[0]}\n\n{__doc__}", file=sys.stderr)
        return 2
    else:
        for name in wanted:
            console.print(f"measuring {name} …")
            rows += PARTS[name]()
    console.print(_table(rows))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    console.print(f"written to {OUT.relative_to(OUT.parent.parent)}")
    return 0


def _table(rows: list[Row]) -> Table:
    found = next((row.value for row in rows if row.name == pace.PACE), 1.0)
    title = "Keymoot bench (SIMULATED enclaves)"
    table = Table("what", "value", "unit", "goal", "", "at its pace", title=title)
    for row in rows:
        shown = [row.name, f"{row.value:.4g}", row.unit]
        if row.goal is None:
            table.add_row(*shown)
            continue
        paced = row.at(found)
        sign = "≤" if row.better == "lower" else "≥"
        verdict = "met" if row.met else "met at its pace" if paced.met else "MISSED"
        table.add_row(*shown, f"{sign} {row.goal:g}", verdict, f"{paced.value:.4g}")
    return table


if __name__ == "__main__":
    sys.exit(main())
