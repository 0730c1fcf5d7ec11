"""Fuzz every target, one after the other: `python -m tests.fuzz.run CASES [NAME…]`.

Each has a process of its own, and a folder under build/fuzz: the inputs that it keeps (`corpus`,
where the next run begins), its row of the table, and what it found. Ends with 1 if there is a
finding.
"""

import json
import os
import sys
from pathlib import Path

from tests.fuzz import engine

FOLDER = Path("build/fuzz")
HEAD = "| target | held against | cases | a second | kept | slowest |"


def main(cases: int, names: list[str]) -> int:
    """Run; `cases` is shared out among the targets."""
    unknown = [name for name in names if name not in engine.TARGETS]
    if unknown:
        sys.exit(f"no target is called {unknown[0]!r}; there are: {', '.join(engine.TARGETS)}")
    targets = [engine.TARGETS[name] for name in names or engine.TARGETS]
    shares = sum(target.share for target in targets)
    rows, findings = [], 0
    for target in targets:
        folder = FOLDER / target.name.replace(" ", "-")
        status = _apart(target.name, max(cases * target.share // shares, 1), folder)
        if status:
            print(f"{target.name}: ended with {status}, see {folder / 'log'}", flush=True)
            findings += 1
            continue
        rows.append(json.loads((folder / "row.json").read_text()))
        for kind, raw in rows[-1]["findings"].items():
            print(f"{target.name}: {kind}: {raw or 'the empty input'}", flush=True)
            findings += 1
    print(HEAD)
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        print(_line(row))
    return 1 if findings else 0


def _apart(name: str, cases: int, folder: Path) -> int:
    """Fuzz one target in a fork of this process; give its exit code, or its signal below 0."""
    folder.mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child == 0:
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        try:
            engine.fuzz(name, cases, folder)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _line(row: dict[str, object]) -> str:
    cases = f"{row['cases']:,}".replace(",", " ")
    slowest = f"{row['slowest_ms']} ms of {row['slowest_bytes']} B"
    cells = (row["target"], row["oracle"], cases, row["rate"], row["kept"], slowest)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
