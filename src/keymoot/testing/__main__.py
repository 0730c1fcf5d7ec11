"""Run simulations: `python -m keymoot.testing SEED …` or `python -m keymoot.testing FIRST:PAST`."""

import logging
import sys
import tempfile
import time
from pathlib import Path

import structlog

from keymoot.testing.notes import SOMETIMES, summed
from keymoot.testing.simulation import Failed, simulate


def main(arguments: list[str]) -> int:
    """Run the seeds that are named; say what came of each, and of all."""
    seeds: list[int] = []
    for one in arguments:
        first, _, past = one.partition(":")
        seeds += range(int(first), int(past)) if past else [int(first)]
    if not seeds:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    done, failed, began = [], list[int](), time.monotonic()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = simulate(seed, Path(folder))
            except Failed as error:
                _say(error)
                failed.append(seed)
                continue
        done.append(found.notes)
        if len(seeds) <= 3:
            _say("\n".join(found.trace))
        _say(f"seed {seed}: {found.notes.counts['height']} blocks, the last {found.tip.hex()[:16]}")
    counts = summed(done)
    for what in SOMETIMES:
        _say(f"{counts[what]:8d} {what}")
    _say(f"{len(done)} of {len(seeds)} runs, {time.monotonic() - began:.0f} s; failed: {failed}")
    return 1 if failed else 0


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
