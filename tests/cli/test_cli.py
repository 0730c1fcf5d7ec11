"""The command line as a person meets it."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts import App

from keymoot.cli.main import run
from tests.cli.shell import Shell
from tests.node.running import Running

HELP = [
    [],
    ["up"],
    ["inspect"],
    ["key", "new"],
    ["key", "derive"],
    ["net", "status"],
    ["net", "turn"],
    ["policy", "check"],
    ["policy", "show"],
    *(
        ["wallet", name]
        for name in (
            [
                "create",
                "list",
                "show",
                "log",
                "policy",
                "grant",
                "revoke",
                "pause",
                "resume",
                "fund",
                "withdraw",
                "sign",
            ]
        )
    ),
]


@pytest.mark.parametrize("command", HELP, ids=" ".join)
def test_every_command_explains_itself_and_its_arguments(shell: Shell, command: list) -> None:
    done = shell.run(*command, "--help")
    assert done.returncode == 0
    assert len(done.stdout) > 150
    for line in done.stdout.splitlines():
        assert "None" not in line, line


def test_help_fills_its_lines(shell: Shell) -> None:
    shown = " ".join(shell.run("up", "--help").stdout.replace("│", " ").split())
    assert "default 3600. keymoot net turn does it now." in shown
    lines = [line.strip("│ ") for line in shell.run("key", "derive", "--help").stdout.splitlines()]
    assert "them, and" not in lines


def test_nothing_looks_for_garbage_before_a_command_runs() -> None:
    """Looking takes a tenth of the time that help takes; a command lives longer."""
    seen = []
    program = App(name="program", version=lambda: str(seen.append(gc.isenabled())))

    @program.command
    def work() -> None:
        seen.append(gc.isenabled())

    gc.disable()
    try:
        assert run(["--version"], program) == 0
        assert gc.isenabled()
        gc.disable()
        assert run(["work"], program) == 0
    finally:
        gc.enable()
    assert seen == [False, True]


def test_heavy_imports_wait() -> None:
    code = "import sys, keymoot.cli.main; print([m for m in ('web3','lmdb','starlette','eth_account','coincurve') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["nonsense"], 2, "nonsense"),
        (["wallet", "create"], 2, "name"),
        (["policy", "check", "missing.json"], 1, "name a file that can"),
        (["wallet", "show", "x", "--url", "http://127.0.0.1:1"], 1, "keymoot up"),
        (["wallet", "sign", "x", "tx.json"], 1, "no credential: set KEYMOOT_CREDENTIAL"),
        (["key", "new", "k.json"], 1, "--password-file"),
        (["inspect", "0x1234"], 1, "32 bytes"),
        (["inspect", "nothing-here"], 1, "nor a file"),
        (["up", "--nodes", "3"], 2, "4 to 64"),
        (["up", "--nodes", "4.6"], 2, "whole number"),
        (["up", "--port", "70000"], 2, "65535"),
        (["up", "--port", "-1"], 2, "--port"),
        (["net", "leave", "1.5"], 2, "whole number"),
        (["wallet", "fund", "x", "1.5", "--owner", "o.json"], 2, "whole number"),
        (["wallet", "fund", "x", "0", "--owner", "o.json"], 2, ">= 1"),
        (["wallet", "create", "x", "--quota", "-1", "--owner", "o.json"], 2, ">= 0"),
        (["wallet", "log", "x", "--last", "-3"], 2, ">= 1"),
        (["wallet", "create", "", "--owner", "o.json"], 1, "1 to 64"),
        (["wallet", "create", "x" * 65, "--owner", "o.json"], 1, "1 to 64"),
        (["wallet", "create", "a\x1b[31m", "--owner", "o.json"], 1, "printable"),
        (["wallet", "create", "0xab", "--owner", "o.json"], 1, "0x"),
        (["wallet", "grant", "x", "--owner", "o.json", "--out", "no/x"], 1, "no folder"),
    ],
)
def test_mistakes_get_an_error_that_says_what_to_do(
    shell: Shell, arguments: list, status: int, word: str
) -> None:
    done = shell.run(*arguments)
    assert done.returncode == status, done.stderr
    assert word in done.stderr + done.stdout


def test_what_is_wrong_with_up_is_said_before_anything_is_made(shell: Shell) -> None:
    assert shell.run("up", "--data", "net", "--nodes", "3").returncode == 2
    assert not (shell.folder / "net").exists()


def test_a_wrong_password_is_called_that(shell: Shell) -> None:
    shell.write("right", "right")
    shell.write("wrong", "wrong")
    assert shell.run("key", "new", "o.json", "--password-file", "right").returncode == 0
    done = shell.run("wallet", "pause", "x", "--owner", "o.json", "--password-file", "wrong")
    assert done.returncode == 1
    assert "the password is wrong" in done.stderr


def test_a_file_that_is_no_credential_is_named(shell: Shell) -> None:
    shell.write("rules.json", {})
    (shell.folder / "rules.json").chmod(0o600)
    shell.environment["KEYMOOT_CREDENTIAL"] = "rules.json"
    done = shell.run("wallet", "sign", "x", "tx.json")
    assert done.returncode == 1
    assert "rules.json" in done.stderr


def test_the_examples_of_the_readme_work(shell: Shell) -> None:
    folder = Path(__file__).resolve().parents[2] / "examples"
    found = shell.json(
        "policy", "check", str(folder / "vaults.json"), "--tx", str(folder / "tx.json")
    )
    assert (found["allowed"], found["rule"], found["warnings"]) == (True, "approve", [])
    rules = str(folder / "solana.json")
    found = shell.json("policy", "check", rules, "--tx", str(folder / "solana.tx"))
    assert (found["allowed"], found["rule"], found["warnings"]) == (True, "usdc", [])
    found = shell.json("policy", "check", rules, "--message", str(folder / "login.txt"))
    assert (found["allowed"], found["rule"]) == (True, "login")


def test_a_wrong_name_is_said_by_its_name_and_an_id_needs_no_book(
    tmp_path: Path, node: Running
) -> None:
    shell = Shell(tmp_path, node)
    shell.write("password", "correct horse\n")
    owner = ["--owner", "owner.json", "--password-file", "password"]
    assert shell.run("key", "new", "owner.json", "--password-file", "password").returncode == 0
    made = shell.json("wallet", "create", "yield", *owner)
    wrong = shell.run("wallet", "pause", "yeild", *owner)
    assert wrong.returncode == 1
    assert 'no wallet "yeild"' in wrong.stderr
    assert shell.run("wallet", "fund", "yield", "999", *owner).returncode == 0
    again = shell.run("wallet", "fund", "yield", "999", *owner)
    assert again.returncode == 0, again.stderr
    lost = shell.run("wallet", "grant", "yield", *owner, "--out", "no/x.cred")
    assert "no folder" in lost.stderr
    (tmp_path / "config" / "keymoot" / "wallets.json").unlink()
    assert "its id" in shell.run("wallet", "show", "yield").stderr
    shown = shell.json("wallet", "show", made["wallet"])
    assert (shown["address"], shown["owner"]) == (made["address"], made["owner"])
