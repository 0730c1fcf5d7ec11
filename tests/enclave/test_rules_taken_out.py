"""The runs are of worth only if they find what is wrong: each rule taken out, they find it.

What the model calls redundant is taken out too: alone it is missed by nobody. The model finds
each in a few steps, for it searches all; here a seed has to come upon it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.enclave.hostile import rules
from tests.enclave.hostile.notes import Violation
from tests.enclave.hostile.run import Run
from tests.enclave.hostile.stage import Stage

Rule = Callable[[pytest.MonkeyPatch], None]

CONFLICT = "two certificates of one height and generation"


def found(stage: Stage, folder: Path, rule: Rule, deed: str, seeds: int, steps: int) -> str:
    """Give the first violation that runs find without a rule, or nothing."""
    for seed in range(seeds):
        at = folder / str(seed)
        with pytest.MonkeyPatch.context() as patch:
            rule(patch)
            try:
                Run(stage.copy(at / "network"), at, seed, patch).run(steps, deed)
            except Violation as error:
                return str(error)
    return ""


@pytest.mark.parametrize(
    ("rule", "deed", "steps", "what"),
    [
        (rules.no_parent, "scheme", 2, CONFLICT),
        (rules.forgetful, "scheme", 2, CONFLICT),
        (rules.unseated, "scheme", 2, CONFLICT),
        (rules.old_goes_on, "succeed", 1, CONFLICT),
        (rules.early_word, "", 30, "something is said before a certificate"),
        (rules.unsigned, "forge", 8, "a dealing to a key that is not"),
        (rules.unstoppable, "stop", 6, "an answer after"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_without_a_rule_runs_find_what_is_wrong(
    stage: Stage, tmp_path: Path, rule: Rule, deed: str, steps: int, what: str
) -> None:
    assert what in found(stage, tmp_path, rule, deed, 40, steps)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (rules.takeover, CONFLICT),
        (rules.executed_session, CONFLICT),
        (rules.no_generations, "has two answers that differ"),
        (rules.any_certificate, "a share has left without its own block's certificate"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_many_runs_find_what_is_rare(stage: Stage, tmp_path: Path, rule: Rule, what: str) -> None:
    assert what in found(stage, tmp_path, rule, "scheme", 1_000, 2)


@pytest.mark.soak
@pytest.mark.parametrize(
    "rule",
    [rules.parentless, rules.takeover_remembering, rules.no_wipe, rules.one_stock],
    ids=lambda one: one.__name__,
)
def test_what_is_redundant_is_missed_by_nobody(stage: Stage, tmp_path: Path, rule: Rule) -> None:
    assert not found(stage, tmp_path, rule, "scheme", 200, 2)
