"""The demo, short: all of it as stated, and a demo that notices when it is not."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from keymoot.base.errors import Refused
from keymoot.base.secret import Secret
from keymoot.cli.demo import outside
from keymoot.cli.demo.report import Report
from keymoot.cli.demo.search import find_key
from keymoot.cli.demo.story import tell
from keymoot.crypto.secp256k1 import address_of_secret


@pytest.mark.timeout(900)
def test_the_short_demo_tells_the_truth(tmp_path: Path) -> None:
    screen = io.StringIO()
    status = tell(short=True, keep=tmp_path / "demo", console=Console(file=screen, width=100))
    shown = screen.getvalue()
    assert status == 0, shown
    for line in (
        "SIMULATED",
        "send the USDC to a stranger: refused (NO_RULE)",
        "exceed the daily limit: refused (LIMIT_EXCEEDED)",
        "the same transaction under a looser policy: signed",
        "fifty racing requests: exactly the limit is spent",
        "the agent cannot change its policy",
        "ask with a revoked credential: refused (CREDENTIAL_REVOKED)",
        "the owner withdraws to the recovery address: paid",
        "every mined transaction was sent by the wallet",
        "(1) a copy of the folder without the fuse key: the key is not found",
        "(2) the same search where nothing is sealed: the key is found",
        "(3) what 1 broken enclave has does not yield the wallet's key",
        "(4) 2 together do: that is the threshold",
        "(5) the agent saw a later block, and refuses what is before it",
        "(5) yesterday's folder: on one machine the budget is spent twice",
    ):
        assert f"✓ {line}" in shown or line == "SIMULATED", line
        assert line in shown
    assert "✗" not in shown


def test_a_statement_that_does_not_hold_fails_the_demo() -> None:
    report = Report(Console(file=io.StringIO()))
    report.hold("the sky is green", true=False)
    assert report.failures == ["the sky is green"]


def test_a_missing_world_says_make_setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(outside, "ANVIL", tmp_path / "anvil")
    with pytest.raises(Refused, match="make setup"), outside.anvil():
        pass


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(Refused, match="not empty"):
        tell(short=True, keep=tmp_path, console=Console(file=io.StringIO()))


@pytest.mark.parametrize("form", ["raw", "reversed", "hex", "base64", "decimal"])
def test_the_search_finds_a_key_in_every_form(tmp_path: Path, form: str) -> None:
    import base64

    key = bytes(range(60, 92))
    forms = {
        "raw": b"noise" * 900 + key + b"noise",
        "reversed": key[::-1],
        "hex": key.hex().encode(),
        "base64": base64.b64encode(key),
        "decimal": str(int.from_bytes(key, "big")).encode(),
    }
    (tmp_path / "file").write_bytes(b"some text before " + forms[form] + b" and after")
    account = address_of_secret(Secret(key))
    assert find_key(tmp_path, account, workers=1)[0]
    (tmp_path / "file").write_bytes(b"nothing to see " * 50)
    assert not find_key(tmp_path, account, workers=1)[0]
