"""Whole walks over the command line, on a node that runs."""

import base64
import json
from pathlib import Path

import pytest

from keymoot.base.fixed import SolanaAddress
from keymoot.base.strict_json import canonical
from tests.cli.shell import Shell, tidy
from tests.node.running import Running, pay
from tests.node.solana import LOGIN, RECOVERY, payment
from tests.node.solana import policy as on_solana
from tests.runtime.people import policy

pytestmark = pytest.mark.long


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
    assert status["proved"]["vendors"] == dict.fromkeys(told, "simulated")
    assert {one["maker"] for one in status["seats"]} == {"nobody (SIMULATED)"}
    shown = shell.run("net", "status").stdout
    assert "proved        the members below, by block" in shown
    assert "makers        nobody (SIMULATED): 4" in shown
    assert "admits        evidence of simulated" in shown
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
    unnamed = shell.run("wallet", "create", "treasury", *owner, "--chain", "solana")
    assert (unnamed.returncode, "--recovery" in unnamed.stderr) == (1, True)
    vault = ["--chain", "solana", "--in-vault", "--recovery", home]
    assert (
        "leave out --in-vault" in shell.run("wallet", "create", "treasury", *owner, *vault).stderr
    )
    made = shell.json(
        "wallet", "create", "treasury", *owner, "--chain", "solana", "--recovery", home
    )
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
