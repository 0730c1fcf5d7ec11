"""The command as it is installed: a process, its outputs, its exit status."""

import json
import os
import subprocess
from pathlib import Path

from eth_account import Account as EthAccount

from tests.cli.shell import tidy
from tests.cli.terminal import COMMAND
from tests.node.running import Running, pay, wallet_with_agent


def keymoot(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_it_explains_itself(tmp_path: Path) -> None:
    done = keymoot(tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Keys that nobody holds" in done.stdout


def test_an_error_is_an_exit_status_and_nothing_on_the_output(tmp_path: Path) -> None:
    for arguments, status in (
        (("policy", "check", "missing.json"), 1),
        (("wallet", "create"), 2),
    ):
        done = keymoot(tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr
    (tmp_path / "rules.json").write_text(json.dumps(tidy(9)))
    (tmp_path / "tx.json").write_text(json.dumps(pay(0, 10)))
    assert keymoot(tmp_path, "policy", "check", "rules.json", "--tx", "tx.json").returncode == 3


def test_it_signs(tmp_path: Path, node: Running) -> None:
    _, credential, account = wallet_with_agent(node, node.owner())
    credential.save(tmp_path / "agent.cred")
    (tmp_path / "tx.json").write_text(json.dumps(pay(0, 60)))
    done = keymoot(
        tmp_path,
        *("wallet", "sign", credential.name, "tx.json"),
        KEYMOOT_URL=node.url,
        KEYMOOT_CREDENTIAL="agent.cred",
    )
    assert done.returncode == 0, done.stderr
    assert EthAccount.recover_transaction(done.stdout.strip()) == account.address
