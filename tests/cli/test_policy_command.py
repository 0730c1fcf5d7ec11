"""`keymoot policy` and the warnings of a policy, as a person meets them."""

import base64

from tests.cli.shell import Shell, tidy
from tests.node.running import pay
from tests.policy.documents import interfaces
from tests.runtime.people import policy


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
    from tests.policy.chains.solana.messages import PAYEES, STRANGER, WALLET, built, document, sol

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
