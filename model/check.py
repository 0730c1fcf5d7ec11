"""Build and run every model; each rule holds, and is missed when it is taken out.

Needs a C++17 compiler besides Python. `--quick` leaves out the long searches, `--thorough` only the
longest.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "model"


CUT = 3
"""How `safety` ends where the bound on states has cut a search that found nothing."""


@dataclass(frozen=True)
class Run:
    """One search by `safety`: its words, and whether it must find a violation.

    What is not searched whole is cut at a bound, which its words name.
    """

    name: str
    words: str
    finds: bool
    whole: bool = True


LONG = (
    Run("all rules", "heights=3 orders=1", finds=False),
    Run("all rules, two recoveries", "heights=2 orders=2", finds=False),
    Run(
        "all rules, starts go anywhere",
        "heights=2 orders=1 takeover=1 states=200000",
        finds=False,
        whole=False,
    ),
    Run(
        "stock without generations, wiped",
        "heights=3 orders=1 stock_by_generation=0 states=200000",
        finds=False,
        whole=False,
    ),
)
MIDDLE = (
    Run("two secrets", "heights=2 orders=1 secrets=2", finds=False),
    Run(
        "stock outlives its generation",
        "heights=3 orders=1 stock_by_generation=0 wipe_at_generation=0",
        finds=True,
    ),
)
SHORT = (
    Run("all rules, two heights", "heights=2 orders=1", finds=False),
    Run("parent not certified", "heights=3 orders=1 parent_certified=0 takeover=1", finds=True),
    Run("twice a height", "heights=2 orders=1 once_a_height=0 takeover=1", finds=True),
    Run("two first blocks", "heights=3 orders=1 first_block_once=0 takeover=1", finds=True),
    Run("another block's certificate", "heights=2 orders=1 own_certificate=0", finds=True),
    Run(
        "session from an uncertified block",
        "heights=3 orders=1 parent_certified=0 session_certified=0",
        finds=True,
    ),
    Run(
        "replaced starts go on",
        "heights=3 orders=1 parent_certified=0 old_start_stops=0",
        finds=True,
    ),
)


def safety(run: Run) -> bool:
    """Run one search and print how it ended; whether that is right."""
    done = subprocess.run(  # noqa: S603
        [BUILD / "safety", *run.words.split()], capture_output=True, text=True, check=False
    )
    right = done.returncode in ((1,) if run.finds else (0,) if run.whole else (0, CUT))
    first, *trace = done.stdout.splitlines() or [done.stderr.strip()]
    print(f"{'ok' if right else 'WRONG':6}{run.name:34} {first}", flush=True)
    for line in trace:
        print(f"        {line}")
    return right


def main() -> int:
    """Run all; 0 where each ended as it must."""
    BUILD.mkdir(parents=True, exist_ok=True)
    compiler = ["g++", "-O2", "-std=c++17", "-Wall", "-Werror"]
    subprocess.run(  # noqa: S603
        [*compiler, "-o", BUILD / "safety", HERE / "safety.cpp"], check=True
    )
    runs = SHORT
    if "--quick" not in sys.argv[1:]:
        runs += MIDDLE if "--thorough" in sys.argv[1:] else MIDDLE + LONG
    right = [safety(run) for run in runs]
    for name in (
        *("members.py", "stuck.py", "handover.py"),
        *("executing.py", "raising.py", "keys.py"),
    ):
        print()
        right.append(subprocess.run([sys.executable, HERE / name], check=False).returncode == 0)  # noqa: S603
    print("\nevery search ended as it must" if all(right) else "\nA SEARCH DID NOT END AS IT MUST")
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
