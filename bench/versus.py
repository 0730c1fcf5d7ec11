"""This version beside another one, in turn on the same processors: what changed is a ratio.

python -m bench versus CHECKOUT [SECONDS]

CHECKOUT is a folder with the other version and its environment: `git worktree add`, and
`make setup` in it.
"""

import json
import os
import statistics
import subprocess
from pathlib import Path

from rich.console import Console

from bench.row import Row

HERE = Path(__file__).resolve().parent
ROUNDS = 3

GOALS = {
    "rate": (1.1, "higher"),
    "together processor": (0.9, "lower"),
    "alone p50": (0.85, "lower"),
}
"""What this version is to be of the other."""

BOUNDS = {
    "pause idle": 500,
    "pause under load": 500,
    "restart seconds": 4,
    "disk bytes": 9_000,
}
"""What it is to stay under, whatever the other does."""


def measure(other: str, seconds: float = 30.0) -> list[Row]:
    """Measure both, in turn; give medians of this version, and its ratios to the other."""
    found: dict[Path, list[dict[str, float]]] = {HERE.parent: [], Path(other).resolve(): []}
    for number in range(ROUNDS):
        for folder, taken in found.items():
            taken.append(_one(folder, seconds))
            Console().print(f"  round {number + 1}: {folder.name} {taken[-1]['rate']:.1f}/s")
    ours, theirs = (_medians(taken) for taken in found.values())
    rows = []
    for name, value in ours.items():
        rows.append(Row(name, value, _unit(name), BOUNDS.get(name)))
        if theirs.get(name):
            goal, better = GOALS.get(name, (None, "lower"))
            rows.append(Row(f"{name} / before", value / theirs[name], "ratio", goal, better))
    tail = ours["alone p95"] / ours["alone p50"]
    return [*rows, Row("alone p95 / p50", tail, "ratio", 2.5)]


def _one(folder: Path, seconds: float) -> dict[str, float]:
    # Modules are the other version's, and none is taken from the script's own folder.
    command = [str(folder / ".venv/bin/python"), "-P", str(HERE / "version.py"), str(seconds)]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _medians(taken: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in taken) for name in taken[0]}


def _unit(name: str) -> str:
    if name == "rate":
        return "per second"
    if name == "disk bytes":
        return "bytes"
    if name == "refused":
        return ""
    return "s" if name.endswith("seconds") else "ms"
