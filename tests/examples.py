"""How much is tried: little while a person waits; where there is time, as much as a test names.

`quick` is taken by `pytest` and `make test`, `thorough` by CI, `random` by `make soak`. The first
two try the same examples each time: a run that fails fails again, and what CI says of a change is
owed to the change. New ones are looked for where somebody has time for what is found.
"""

from collections.abc import Iterable
from typing import TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T")

QUICK, THOROUGH, RANDOM = "quick", "thorough", "random"
QUICK_EXAMPLES, THOROUGH_EXAMPLES = 30, 100


def register() -> None:
    """Make all profiles known, and take the quick one where the command line names none."""
    for name, count in (
        (QUICK, QUICK_EXAMPLES),
        (THOROUGH, THOROUGH_EXAMPLES),
        (RANDOM, THOROUGH_EXAMPLES),
    ):
        settings.register_profile(
            name,
            deadline=None,
            derandomize=name != RANDOM,
            max_examples=count,
            suppress_health_check=[HealthCheck.too_slow],
        )
    settings.load_profile(QUICK)


def examples(thorough: int) -> int:
    """Give how many examples a property takes that wants so many where there is time."""
    return of(min(thorough, QUICK_EXAMPLES), thorough)


def of(quick: T, thorough: T) -> T:
    """Give what a test takes that names both."""
    return quick if settings.get_current_profile_name() == QUICK else thorough


def some(cases: Iterable[T], quick: int) -> list[T]:
    """Give the cases a test runs with: as many as `quick`, evenly spread; all where there is time.

    For cases that are many of one kind, such as seeds; what each tells alone runs always.
    """
    found = list(cases)
    assert 0 < quick <= len(found)
    return of([found[at * len(found) // quick] for at in range(quick)], found)
