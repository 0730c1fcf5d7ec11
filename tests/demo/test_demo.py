"""The demo, short: all of it as stated, and a demo that notices when it is not."""

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from demo import outside
from demo.checkout import ROOT
from demo.host import steal
from demo.market import Market, Vault
from demo.network import LocalNetwork
from demo.report import Report
from demo.rules import loose_policy, vault_policy
from demo.story import tell
from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, WalletId
from keymoot.base.strict_json import canonical
from keymoot.node.config import FUSE_VARIABLE
from keymoot.policy.document import parse_policy
from tests.node import prepared

pytestmark = pytest.mark.long


@pytest.mark.timeout(900)
def test_the_short_demo_tells_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever network a person works with otherwise, the demo asks its own.
    monkeypatch.setenv("KEYMOOT_URL", "http://127.0.0.1:1")
    begun: list[LocalNetwork] = []
    begin = LocalNetwork.begin

    def starts(network: LocalNetwork) -> None:
        # It starts as a person's does; later its processes have imported everything before.
        if network in begun or network.module[0] != "keymoot.cli":
            module, *arguments = network.module
            arguments += ["--data", str(network.data), "--port", str(network.port)]
            variables = {**os.environ, FUSE_VARIABLE: str(network.fuse)}
            network._process = prepared.Node(module, arguments, network.log, variables)  # type: ignore[assignment]
        else:
            begin(network)
        begun.append(network)

    monkeypatch.setattr(LocalNetwork, "begin", starts)
    screen = io.StringIO()
    status = tell(short=True, keep=tmp_path / "demo", console=Console(file=screen, width=80))
    shown = screen.getvalue()
    assert status == 0, shown
    for line in (
        "SIMULATED",
        "send the USDC to a stranger: refused (NO_RULE)",
        "exceed the daily limit: refused (LIMIT_EXCEEDED)",
        "the same two transactions under a looser policy: signed",
        "fifty racing requests: exactly the limit is spent",
        "one of the refused, under twice the limit: signed",
        "the agent cannot change its policy",
        "the same call by the owner: done",
        "the same request before it was revoked: signed",
        "ask with a revoked credential: refused (CREDENTIAL_REVOKED)",
        "the owner withdraws to the recovery address: paid",
        "every mined transaction was sent by the wallet",
        "(1) a copy of the folder without the fuse key: the key is not found",
        "(1) patched code opens nothing; with the fuse key, if it lies, it does",
        "(2) the same search where nothing is sealed: the key is found",
        "(3) what 1 broken enclave has does not yield the wallet's key",
        "(3) but any one of them yields a key in Vault, where it lies whole",
        "(1) that key, now known, stands in no byte of the copy, in no form",
        "(4) 2 together do: that is the threshold",
        "(5) the agent saw a later block, and refuses what is before it",
        "(5) yesterday's folder: on one machine the budget is spent twice",
    ):
        assert f"✓ {line}" in shown or line == "SIMULATED", line
        assert line in shown
    assert "✗" not in shown
    page = (ROOT / "README.md").read_text()
    assert [line for line in page.splitlines() if "✓" in line and line not in shown] == []
    assert max(map(len, shown.splitlines())) <= 80
    answers = json.loads((tmp_path / "demo/answers.json").read_text())
    assert answers["exceed the daily limit"]["data"]["reason"] == "LIMIT_EXCEEDED"


def test_a_statement_that_does_not_hold_fails_the_demo() -> None:
    report = Report(Console(file=io.StringIO()))
    report.hold("the sky is green", true=False)
    assert report.failures == ["the sky is green"]


def test_the_looser_policy_is_one(tmp_path: Path) -> None:
    market = Market(None, None, "0x" + "12" * 20, (Vault("A", "0x" + "34" * 20),))  # type: ignore[arg-type]
    rules = parse_policy(canonical(loose_policy(market))).rules
    assert len(rules) == len(parse_policy(canonical(vault_policy(market, 1))).rules) + 1


def test_a_thief_that_breaks_down_has_shown_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.mdb").write_bytes(b"not a ledger")
    wallet = SimpleNamespace(account=Address(b"\1" * 20), wallet=WalletId(b"\2" * 32))
    with pytest.raises(Refused, match="broke down, so nothing was shown"):
        steal("search", tmp_path, wallet)


def test_a_missing_world_says_make_setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(outside, "ANVIL", tmp_path / "anvil")
    with pytest.raises(Refused, match="make setup"), outside.anvil():
        pass


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(Refused, match="not empty"):
        tell(short=True, keep=tmp_path, console=Console(file=io.StringIO()))
