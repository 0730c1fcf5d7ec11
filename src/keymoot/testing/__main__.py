"""Run simulations: `python -m keymoot.testing SEED …` or `python -m keymoot.testing FIRST:PAST`.

Seeds are whole numbers; PAST is the one after the last.
"""

import logging
import re
import sys
import tempfile
import time
from pathlib import Path

import structlog

from keymoot.testing.notes import SOMETIMES, summed
from keymoot.testing.simulation import SimulationFailed, simulate

_SEEDS = re.compile(r"(\d{1,15})(?::(\d{1,15}))?", re.ASCII)


def main(arguments: list[str]) -> int:
    """Run the seeds that are named; say what came of each, and of all."""
    named = [_SEEDS.fullmatch(argument) for argument in arguments]
    seeds = [seed for match in named if match for seed in _range(*match.groups())]
    if not seeds or None in named:
        sys.stderr.write(f"{__doc__}\n")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    done, failed, began = [], list[int](), time.monotonic()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            try:
                simulation = simulate(seed, Path(folder))
            except SimulationFailed as error:
                _say(error)
                failed.append(seed)
                continue
        done.append(simulation.notes)
        if len(seeds) <= 3:
            _say("\n".join(simulation.trace))
        _say(
            f"seed {seed}: {simulation.notes.counts['height']} blocks, the last {simulation.tip.hex()[:16]}"
        )
    counts = summed(done)
    for what in SOMETIMES:
        _say(f"{counts[what]:8d} {what}")
    _say(f"{len(done)} of {len(seeds)} runs, {time.monotonic() - began:.0f} s; failed: {failed}")
    return 1 if failed else 0


def _range(first: str, past: str | None) -> range:
    return range(int(first), int(first) + 1 if past is None else int(past))


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
