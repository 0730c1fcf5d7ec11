"""Fuzz every target, one after the other: `python -m tests.fuzz.run CASES [NAME…]`.

Each has a process and a folder of its own under build/fuzz: the inputs that it keeps (`corpus`,
where the next run begins), its row of the table, and what it found. Ends with 1 if there is a
finding.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

FOLDER = Path("build/fuzz")
HEAD = "| target | held against | cases | a second | kept | slowest |"


def main(cases: int, names: list[str]) -> int:
    """Run; `cases` is shared out among the targets."""
    targets = [TARGETS[name] for name in names or TARGETS]
    shares = sum(one.share for one in targets)
    found = 0
    for one in targets:
        folder = FOLDER / one.name.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        wanted = max(cases * one.share // shares, 1)
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-m", "tests.fuzz.engine", one.name, str(wanted)]
            ended = subprocess.run([*command, str(folder)], stderr=log, check=False)
        if ended.returncode:
            print(f"{one.name}: ended with {ended.returncode}, see {folder / 'log'}", flush=True)
            found += 1
            continue
        row = json.loads((folder / "row.json").read_text())
        for kind, raw in row["findings"].items():
            print(f"{one.name}: {kind}: {raw or 'the empty input'}", flush=True)
        found += len(row["findings"])
    print(HEAD)
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for path in sorted(FOLDER.glob("*/row.json")):
        print(_line(json.loads(path.read_text())))
    return 1 if found else 0


def _line(row: dict[str, object]) -> str:
    cases = f"{row['cases']:,}".replace(",", " ")
    slowest = f"{row['slowest_ms']} ms of {row['slowest_bytes']} B"
    return f"| {row['target']} | {row['oracle']} | {cases} | {row['rate']} | {row['kept']} | {slowest} |"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
