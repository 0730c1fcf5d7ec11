"""The command line as a person meets it."""

import base64
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keymoot.base.fixed import SolanaAddress
from keymoot.base.strict_json import canonical
from tests.node.running import Running, pay, running
from tests.node.solana import LOGIN, RECOVERY, payment
from tests.node.solana import policy as on_solana
from tests.policy.documents import interfaces
from tests.runtime.people import policy

COMMAND = [str(Path(sys.executable).with_name("keymoot"))]


def tidy(limit: int) -> dict[str, Any]:
    """Give the policy of `people` without anything to warn of."""
    gas = {"id": "gas", "meter": "maxFee", "max": "1000000", "window": "24h", "kind": "rolling"}
    document = policy(limit, expires="2036-01-01T00:00:00Z")
    return document | {"limits": [*document["limits"], gas]}


class Shell:
    """A person's shell in a folder of its own."""

    def __init__(self, folder: Path, node: Running | None = None) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        if node is not None:
            self.environment["KEYMOOT_URL"] = node.url

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, status: int = 0) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    def answer(self, text: str, *arguments: str) -> int:
        """Run a command at a terminal, type a line or the end of all input; give its status."""
        ours, theirs = pty.openpty()
        os.write(ours, text.encode() or b"\x04")
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            stdin=theirs,
        )
        os.close(theirs)
        os.close(ours)
        assert "Set this policy all the same? [y/N] " in done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    def write(self, name: str, content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (self.folder / name).write_text(text)
        return name


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("node")) as found:
        yield found


HELP = [
    [],
    ["up"],
    ["demo"],
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


def test_heavy_imports_wait() -> None:
    code = "import sys, keymoot.cli.main; print([m for m in ('web3','lmdb','starlette','eth_account','coincurve') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["nonsense"], 2, "nonsense"),
        (["wallet", "create"], 2, "name"),
        (["policy", "check", "missing.json"], 1, "cannot be read"),
        (["wallet", "show", "x", "--url", "http://127.0.0.1:1"], 1, "keymoot up"),
        (["wallet", "sign", "x", "tx.json"], 1, "KEYMOOT_CREDENTIAL"),
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


def test_policy_check_shows_the_trace_and_exits_with_three(shell: Shell) -> None:
    rules = shell.write("rules.json", tidy(100))
    good = shell.write("good.json", pay(0, 100))
    bad = shell.write("bad.json", pay(0, 101))
    done = shell.run("policy", "check", rules, "--tx", good)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'allowed by rule "pay"' in done.stdout
    refused = shell.json("policy", "check", rules, "--tx", bad, status=3)
    assert refused["refusal"]["reason"] == "LIMIT_EXCEEDED"
    assert refused["trace"][-1]["passed"] is False


def test_policy_check_exits_with_four_where_there_are_only_warnings(shell: Shell) -> None:
    loose = policy(100)
    loose["rules"][0] |= {"to": "anyone"}
    rules = shell.write("rules.json", loose)
    good = ["--tx", shell.write("good.json", pay(0, 100))]
    bad = ["--tx", shell.write("bad.json", pay(0, 101))]
    for wish in ([], good):
        found = shell.json("policy", "check", rules, *wish, status=4)
        codes = [(one["code"], one.get("rule")) for one in found["warnings"]]
        assert codes == [("ANYONE", "pay"), ("NO_FEE_CAP", None), ("NEVER_EXPIRES", None)]
        assert all(one["message"] for one in found["warnings"])
    assert 'warning: ANYONE: rule "pay" says' in shell.run("policy", "check", rules, *good).stderr
    # A refusal is the stronger word.
    assert shell.json("policy", "check", rules, *bad, status=3)["warnings"]
    assert "4 that there are" in shell.run("policy", "check", "--help").stdout


def test_a_policy_with_warnings_is_not_set_where_nobody_can_be_asked(shell: Shell) -> None:
    rules = shell.write("rules.json", policy(100))
    owner = ["--owner", "owner.json", "--password-file", "password"]
    refused = shell.run("wallet", "policy", "yield", rules, *owner)
    assert refused.returncode == 4
    assert "warning: NO_FEE_CAP: " in refused.stderr
    assert "nothing was changed: nobody can be asked here, so say --yes" in refused.stderr
    # With --yes it goes on, to the owner's key, which is not there.
    assert shell.run("wallet", "policy", "yield", rules, *owner, "--yes").returncode == 1


def test_policy_check_names_the_path_of_a_mistake(shell: Shell) -> None:
    document = interfaces()
    document["rules"][0]["args"]["spendr"] = {"in": "vaults"}
    done = shell.run("policy", "check", shell.write("rules.json", document))
    assert done.returncode == 1
    assert "rules.json: rules[0].args.spendr:" in done.stderr


def test_policy_check_says_where_json_breaks(shell: Shell) -> None:
    rules = shell.folder / "broken.json"
    rules.write_text('{"version": "1",\n "chain": }')
    done = shell.run("policy", "check", rules.name)
    assert done.returncode == 1
    assert "broken.json: not JSON: Expecting value at line 2, column 11" in done.stderr


def test_policy_check_tries_messages_and_whole_transactions_of_solana(shell: Shell) -> None:
    from tests.policy.solana.messages import PAYEES, STRANGER, WALLET, built, document, sol

    def written(raw: bytes) -> str:
        return base64.encodebytes(raw).decode()

    rules = shell.write("rules.json", document())
    good = built(sol(PAYEES[0], 5))
    shell.write("message", written(good))
    shell.write("whole", written(b"\1" + bytes(64) + good))
    shell.write("bad", written(built(sol(PAYEES[0], 5), sol(STRANGER, 1), legacy=False)))
    shell.write("next", written(b"\1" + bytes(64) + b"\x81" + good))
    for file in ("message", "whole"):
        done = shell.run("policy", "check", rules, "--tx", file)
        assert done.returncode == 0, done.stderr
        assert 'allowed by rule "pay"' in done.stdout
        assert "instructions[0].amount" in done.stdout
    refused = shell.json("policy", "check", rules, "--tx", "bad", status=3)
    assert refused["refusal"]["path"] == "instructions[1].to"
    unread = shell.json("policy", "check", rules, "--tx", "next", status=3)
    assert unread["refusal"]["reason"] == "MESSAGE_VERSION"
    wallet = ["--wallet", STRANGER.base58]
    other = shell.json("policy", "check", rules, "--tx", "message", *wallet, status=3)
    assert other["refusal"]["reason"] == "WRONG_PAYER"
    assert shell.json("policy", "check", rules, "--tx", "whole", "--wallet", WALLET.base58)
    login = shell.write("login", document()["rules"][2]["prefix"])
    assert shell.json("policy", "check", rules, "--message", login)["rule"] == "login"
    both = shell.run("policy", "check", rules, "--message", login, "--tx", "message")
    assert both.returncode == 1
    assert "one thing at a time" in both.stderr
    assert "base64" in shell.run("policy", "check", rules, "--tx", rules).stderr
    wrong = shell.run("policy", "check", rules, "--tx", "whole", "--wallet", "0x12")
    assert "--wallet" in wrong.stderr


def test_a_newcomers_whole_walk(tmp_path: Path, node: Running) -> None:
    shell = Shell(tmp_path, node)
    shell.write("password", "correct horse\n")
    secret = ["--password-file", "password"]
    owner = ["--owner", "owner.json", *secret]
    key = shell.json("key", "new", "owner.json", *secret)
    assert (tmp_path / "owner.json").stat().st_mode & 0o077 == 0
    assert shell.run("key", "new", "owner.json", *secret).returncode == 1
    made = shell.json("wallet", "create", "yield", *owner)
    assert made["owner"] == key["address"]
    assert shell.json("wallet", "list")[0]["name"] == "yield"
    shell.environment["KEYMOOT_CREDENTIAL"] = "yield.cred"
    granted = shell.json(
        "wallet", "grant", "yield", *owner, "--expires", "1h", "--out", "yield.cred"
    )
    assert (tmp_path / "yield.cred").stat().st_mode & 0o077 == 0
    wish = shell.write("tx.json", pay(0, 60))
    refused = shell.json("wallet", "sign", "yield", wish, status=3)
    assert refused["data"]["reason"] == "NO_POLICY"
    rules = shell.write("rules.json", policy(100))
    assert shell.answer("n\n", "wallet", "policy", "yield", rules, *owner) == 4
    assert shell.answer("", "wallet", "policy", "yield", rules, *owner) == 4
    assert shell.run("policy", "show", "yield").returncode == 1
    other = shell.write("other.json", policy(99))
    assert shell.answer("y\n", "wallet", "policy", "yield", other, *owner) == 0
    ruled = shell.json("wallet", "policy", "yield", rules, *owner, "--yes")
    assert ruled["version"] == 2
    assert [one["code"] for one in ruled["warnings"]] == ["NO_FEE_CAP", "NEVER_EXPIRES"]
    assert any("+" in line for line in ruled["difference"])
    assert json.loads(shell.run("policy", "show", "yield").stdout) == policy(100)
    signed = shell.run("wallet", "sign", "yield", wish)
    assert signed.returncode == 0
    from eth_account import Account

    assert Account.recover_transaction(signed.stdout.strip()) == made["address"]
    again = shell.json("wallet", "sign", "yield", shell.write("tx.json", pay(1, 60)), status=3)
    assert again["data"]["limit"] == "day"
    shown = shell.json("wallet", "show", "yield")
    assert shown["usage"][0]["used"] == "60"
    assert "SIMULATED" in shell.run("wallet", "show", "yield").stderr
    log = shell.json("wallet", "log", "yield")
    assert [entry["status"] for entry in log] == ["refused", "bound", "refused"]
    paused = shell.json("wallet", "pause", "yield", *owner)
    assert paused["signed"] == ["eip155:8453 nonce 0"]
    home = pay(1, 5) | {"to": key["address"]}
    paid = shell.run("wallet", "withdraw", "yield", shell.write("home.json", home), *owner)
    assert Account.recover_transaction(paid.stdout.strip()) == made["address"]
    assert "fee: " in paid.stderr
    dear = shell.write("dear.json", home | {"nonce": 9, "maxFeePerGas": 10**15})
    refused = shell.run("wallet", "withdraw", "yield", dear, *owner)
    assert refused.returncode == 1
    assert "--max-fee" in refused.stderr
    stated = ("--max-fee", str(21 * 10**18))
    assert shell.run("wallet", "withdraw", "yield", dear, *stated, *owner).returncode == 0
    stolen = shell.run("wallet", "withdraw", "yield", shell.write("tx.json", pay(2, 5)), *owner)
    assert stolen.returncode == 1
    shell.json("wallet", "resume", "yield", *owner)
    shell.json("wallet", "revoke", "yield", granted["credential"], *owner)
    assert (
        shell.json("wallet", "sign", "yield", wish, status=3)["data"]["reason"]
        == "CREDENTIAL_REVOKED"
    )
    status = shell.json("net", "status")
    assert status["simulated"] is True
    assert len(status["nodes"]) == 4
    told = {str(one["seat"]): one["identityKey"] for one in status["seats"]}
    assert status["proved"]["members"] == told
    assert 0 < status["proved"]["height"] <= status["height"]
    assert "proved        the members below, by block" in shell.run("net", "status").stdout
    decoded = shell.json("inspect", signed.stdout.strip())
    assert decoded["from"] == made["address"].lower()
    wrong = shell.write("wrong", "not it\n")
    denied = shell.run(
        "wallet", "pause", "yield", "--owner", "owner.json", "--password-file", wrong
    )
    assert denied.returncode == 1
    assert "does not open" in denied.stderr


def test_a_walk_with_a_wallet_on_solana(tmp_path: Path, node: Running) -> None:
    from nacl.signing import VerifyKey
    from solders.pubkey import Pubkey
    from solders.transaction import VersionedTransaction

    from keymoot.base import base58

    shell = Shell(tmp_path, node)
    shell.write("password", "correct horse\n")
    secret = ["--password-file", "password"]
    owner = ["--owner", "owner.json", *secret]
    shell.json("key", "new", "owner.json", *secret)
    home = str(Pubkey.from_bytes(bytes(RECOVERY)))
    unnamed = shell.run("wallet", "create", "treasury", *owner, "--solana")
    assert (unnamed.returncode, "--recovery" in unnamed.stderr) == (1, True)
    vault = ["--solana", "--in-vault", "--recovery", home]
    assert (
        "leave out --in-vault" in shell.run("wallet", "create", "treasury", *owner, *vault).stderr
    )
    made = shell.json("wallet", "create", "treasury", *owner, "--solana", "--recovery", home)
    assert made["recovery"] == home
    account = SolanaAddress.from_base58(made["address"])
    wrong = shell.run("wallet", "policy", "treasury", shell.write("evm.json", tidy(1)), *owner)
    assert (wrong.returncode, "eip155:8453" in wrong.stderr) == (1, True)
    rules = shell.write("rules.json", on_solana(10))
    assert shell.json("wallet", "policy", "treasury", rules, *owner, "--yes")["version"] == 1
    shell.json("wallet", "grant", "treasury", *owner, "--out", "treasury.cred")
    shell.environment["KEYMOOT_CREDENTIAL"] = "treasury.cred"
    wish = shell.write("tx", base64.b64encode(bytes(payment(account, 7))).decode())
    signed = shell.json("wallet", "sign", "treasury", wish)
    whole = VersionedTransaction.from_bytes(base64.b64decode(signed["raw"]))
    assert whole.verify_with_results() == [True]
    assert signed["signature"] == str(whole.signatures[0])
    refused = shell.json("wallet", "sign", "treasury", wish, status=3)
    assert refused["data"]["limit"] == "day"
    text = shell.write("login", f"{LOGIN} {made['address']}")
    said = shell.json("wallet", "sign", "treasury", "--message", text)
    VerifyKey(bytes(account)).verify(
        (tmp_path / text).read_bytes(), base58.decode(said["signature"], 64)
    )
    assert "one thing" in shell.run("wallet", "sign", "treasury", wish, "--message", text).stderr
    assert "one thing" in shell.run("wallet", "sign", "treasury").stderr
    back = bytes(payment(account, 9, Pubkey.from_bytes(bytes(RECOVERY))))
    home_tx = shell.write("home", base64.b64encode(back).decode())
    paid = shell.json("wallet", "withdraw", "treasury", home_tx, *owner)
    raw = base64.b64decode(paid["raw"])
    assert VersionedTransaction.from_bytes(raw).verify_with_results() == [True]
    assert shell.run("wallet", "withdraw", "treasury", wish, *owner).returncode == 1
    log = shell.run("wallet", "log", "treasury").stdout.splitlines()
    assert "pay: system.transfer under blockhash" in log[0]
    assert "login: text 'app.example" in log[2]
    assert "to recovery: system.transfer" in log[3]
    assert shell.json("wallet", "show", "treasury")["address"] == made["address"]
    assert shell.json("wallet", "pause", "treasury", *owner)["signed"] == []
    assert "Ed25519 signatures" in shell.run("net", "status").stdout


def test_the_keepers_of_the_keys_are_shown_and_share_them_anew(
    tmp_path: Path, node: Running
) -> None:
    shell = Shell(tmp_path, node)
    shown = shell.json("net", "status")
    assert [one["seat"] for one in shown["seats"]] == [1, 2, 3, 4]
    assert shown["cheats"] == []
    assert shown["roots"]["ecdsa"]["sharesNeeded"] == 2
    number = shown["epoch"]["number"]
    done = shell.run("net", "turn", "--data", str(node.data))
    assert done.stdout == f"epoch {number + 1} has begun\n"
    assert f"epoch {number} is " in done.stderr
    lines = shell.run("net", "status").stdout
    assert f"epoch         {number + 1}, since height" in lines
    assert "any 2 broken ones hold the wallets' root" in lines
    wrong = shell.run("net", "turn", "--data", str(tmp_path))
    assert wrong.returncode == 1
    assert "no node of yours runs on" in wrong.stderr
    assert (
        shell.json("net", "status")["roots"]["ecdsa"]["publicKey"]
        == (shown["roots"]["ecdsa"]["publicKey"])
    )


def test_a_person_derives_a_key_and_makes_a_wallet_in_vault(tmp_path: Path, node: Running) -> None:
    shell = Shell(tmp_path, node)
    password = shell.write("password", "correct horse\n")
    by = ("--owner", "owner.json", "--password-file", password)
    shell.json("key", "new", "owner.json", "--password-file", password)
    done = shell.run("key", "derive", "login", "login.key", *by)
    assert done.returncode == 0, done.stderr
    assert "SIMULATED" in done.stderr
    file = tmp_path / "login.key"
    key = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key[2:])) == 32
    assert key.strip() not in done.stdout + done.stderr
    again = shell.run("key", "derive", "login", "login.key", *by)
    assert again.returncode == 1
    assert "never overwritten" in again.stderr
    assert file.read_text() == key
    assert shell.run("key", "derive", "login", "same.key", *by).returncode == 0
    assert (tmp_path / "same.key").read_text() == key
    wrong = shell.write("wrong", "not it\n")
    by_wrong = ("--owner", "owner.json", "--password-file", wrong)
    failed = shell.run("key", "derive", "login", "none.key", *by_wrong)
    assert failed.returncode == 1
    assert not (tmp_path / "none.key").exists()
    made = shell.json("wallet", "create", "vaulted", "--in-vault", *by)
    assert made["address"].startswith("0x")


def test_the_policy_document_on_the_ledger_is_what_was_set(tmp_path: Path, node: Running) -> None:
    from keymoot.base.units import Wei
    from tests.node.running import RECOVERY

    owner = node.owner()
    wallet = owner.create("direct", RECOVERY, Wei(10**18))
    owner.set_policy(wallet.wallet, canonical(policy(7)), 0)
    assert owner.policy(wallet.wallet) == canonical(policy(7))


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
