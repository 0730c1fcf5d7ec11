"""Fuzz one target by coverage, with atheris.

libFuzzer chooses the inputs by the branches and comparisons of our code that they reach. It never
stops at a finding: of each kind of failure the shortest input is kept, and the run goes on.
Importing this takes ten seconds: all of our code is instrumented.
"""

import json
import os
import time
import traceback
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keymoot"]):
    from keymoot.base.errors import KeymootError
    from tests.fuzz.targets import TARGETS

SLOW_SECONDS = 0.05
"""More than that for an input under 64 KB is a finding."""

EPOCH_SECONDS = 30.0
"""How often the row is written down, in case the run is ended."""


class Watched:
    """A target that counts, times and keeps what went wrong."""

    def __init__(self, name: str, cases: int, folder: Path) -> None:
        self.wanted = cases
        self.target = TARGETS[name]
        self.folder = folder
        self.cases = self.read = 0
        self.findings: dict[str, bytes] = {}
        self.slowest, self.slowest_input = 0.0, b""
        self.began = self.written = time.monotonic()

    def __call__(self, raw: bytes) -> None:
        """Give one input to the target."""
        self.cases += 1
        began = time.thread_time()
        try:
            self.target.check(raw)
        except KeymootError as error:
            if not str(error):
                self._find("an error without words", raw)
        except Exception as error:
            self._find(_kind(error), raw)
        else:
            self.read += 1
        took = time.thread_time() - began
        if took > self.slowest:
            self._time(raw)
        if self.cases == self.wanted:
            self.report()
            # Nothing of libFuzzer's own end is needed, and it runs none of Python's.
            os._exit(0)
        now = time.monotonic()
        if now - self.written > EPOCH_SECONDS:
            self.written = now
            self.report()

    def _time(self, raw: bytes) -> None:
        """Believe a time only as the least of three: others use this machine too."""
        times = []
        for _ in range(3):
            began = time.thread_time()
            with suppress(Exception):
                self.target.check(raw)
            times.append(time.thread_time() - began)
        if min(times) > self.slowest:
            self.slowest, self.slowest_input = min(times), raw
            if self.slowest > SLOW_SECONDS:
                self._find(f"over {SLOW_SECONDS} s", raw)

    def _find(self, kind: str, raw: bytes) -> None:
        before = self.findings.get(kind)
        if before is None or len(raw) < len(before):
            self.findings[kind] = raw

    def report(self) -> None:
        """Write the row, and what was found."""
        seconds = time.monotonic() - self.began
        row = {
            "target": self.target.name,
            "oracle": self.target.oracle,
            "cases": self.cases,
            "read": self.read,
            "rate": round(self.cases / seconds),
            "kept": sum(1 for _ in (self.folder / "corpus").iterdir()),
            "slowest_ms": round(self.slowest * 1000, 2),
            "slowest_bytes": len(self.slowest_input),
            "findings": {kind: raw.hex() for kind, raw in self.findings.items()},
        }
        (self.folder / "row.json").write_text(json.dumps(row, indent=1) + "\n")
        (self.folder / "slowest").write_bytes(self.slowest_input)


def _kind(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    at = next((one for one in reversed(frames) if "/keymoot/" in one.filename), frames[-1])
    where = at.filename.rpartition("/src/")[2].rpartition("/tests/")[2]
    if isinstance(error, AssertionError):
        # A test says which law is broken; where it says nothing, its line does.
        return str(error) or f"AssertionError at line {frames[-1].lineno} of {where}"
    return f"{type(error).__name__} at {where}:{at.lineno}"


def fuzz(name: str, cases: int, folder: Path) -> None:
    """Run; it ends the process. `folder` has the inputs in `corpus`, and gets `row.json`."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    watched = Watched(name, cases, folder)
    for at, raw in enumerate(watched.target.seeds()):
        (corpus / f"seed-{at}").write_bytes(raw)
    arguments = [
        "fuzz",
        f"-max_len={watched.target.max_bytes}",
        f"-artifact_prefix={folder}/",
        "-seed=1",
        "-use_value_profile=1",
        "-rss_limit_mb=0",
        "-timeout=60",
        str(corpus),
    ]
    atheris.Setup(arguments, watched)
    atheris.Fuzz()
