"""The perpetuals trader of the examples, run as its page says."""

from pathlib import Path

import pytest

from tests.ecosystem.fresh import ROOT, fresh, wheel

pytestmark = [pytest.mark.ecosystem, pytest.mark.timeout(1_800)]


def test_the_trader_obeys_and_the_rules_hold(tmp_path: Path) -> None:
    built = wheel(tmp_path / "wheel")
    made = fresh(tmp_path / "env")
    made.install(f"{built}[node]", "hyperliquid-python-sdk")
    done = made.run(str(ROOT / "examples/perps"))
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [line for line in done.stdout.splitlines() if line.startswith("outcome:")]
    wanted = ["done", "CONDITION_FAILED", "CONDITION_FAILED", "done"]
    assert [line.split(": ")[1] for line in outcomes] == wanted
    # The injected address and the stranger's size were what the rules refused.
    assert "action.destination" in outcomes[1]
    assert "orders[0]" in outcomes[2]
