"""What `net join`, `leave` and `turn` say, and exit with, for all that a ledger may do."""

import json
import time

import pytest

from keymoot.cli import waiting
from keymoot.cli.main import run
from keymoot.node.admin import question
from keymoot.node.admin.question import NodeGone, NodeRefused, NodeSilent, NoNode


def epoch(number=3, stage="living", votes=(), awaited=(), failed=0) -> dict:
    return {
        "number": number,
        "stage": stage,
        "failedAttempts": failed,
        "endsAt": 1,
        "votes": [*votes],
        "awaited": [*awaited],
    }


def standing(**changed) -> dict:
    told: dict = {
        "ok": True,
        "ready": True,
        "height": 9,
        "storage": None,
        "epoch": epoch(),
        "needed": 3,
        "members": [1, 2, 3, 4],
        "next": [1, 2, 3, 4],
        "joining": {},
        "leaving": {},
        "silent": [],
        "lost": [],
        "away": [],
    }
    return told | changed


class Script:
    """A node that says one standing after the other; the last one for ever."""

    def __init__(self, *looks) -> None:
        self.looks = list(looks)
        self.asked: list = []

    def ask(self, data, verb, *, seconds=60.0, **values):
        if verb == "standing":
            one = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        else:
            self.asked.append((verb, *values.values()))
            one = {"ok": True, "seat": 5, "network": "0x12"}
        if isinstance(one, BaseException):
            raise one
        return one


@pytest.fixture
def told(monkeypatch, capsys):
    """Run a command against a script; give status, lines of both outputs, and what was asked."""
    monkeypatch.delenv("KEYMOOT_URL", raising=False)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.0)

    def tell(script: Script, *arguments: str):
        monkeypatch.setattr(question, "ask", script.ask)
        status = run(["net", *arguments, "--data", "/tmp"])
        out, err = capsys.readouterr()
        return status, out, err

    return tell


def joining(votes, *, settled=False) -> dict:
    return {"5": {"settled": settled, "votes": [*votes]}}


def test_join_waits_until_the_ledger_has_admitted_it(told):
    script = Script(
        standing(joining=joining([1])),
        standing(joining=joining([1, 2, 4])),
        standing(joining=joining([1, 2, 4], settled=True)),
    )
    status, out, err = told(script, "join")
    assert (status, script.asked) == (0, [("join",)])
    assert out == "seat 5 joins with the end of the epoch: `keymoot net turn` ends it now\n"
    assert err.splitlines() == [
        "seat 5 is being invited: 1 of 3 votes, waiting for seats 2, 3, 4 …",
        "seat 5 is invited, and its enclave has not asked to join …",
    ]


def test_join_says_why_the_ledger_did_not_take_it_in(told):
    refused = joining([1, 2, 4])
    refused["5"]["refused"] = "VENDOR_HOLDS_TOO_MUCH: AMD vouches for 2 seats"
    out_of_mix = joining([1, 2, 4], settled=True)
    out_of_mix["5"]["fits"] = False
    script = Script(
        standing(joining=refused),
        standing(joining=out_of_mix),
        standing(joining=joining([1, 2, 4], settled=True)),
    )
    status, _, err = told(script, "join")
    assert status == 0
    assert err.splitlines() == [
        "seat 5 was not taken in: VENDOR_HOLDS_TOO_MUCH: AMD vouches for 2 seats …",
        "seat 5 is admitted and waits: too many seats would be of its maker of enclaves …",
    ]


def test_join_that_is_not_admitted_in_time_fails_and_says_who_is_waited_for(told):
    script = Script(standing(joining=joining([1]), silent=[2], away=[3], lost=[4]))
    status, out, err = told(script, "join", "--wait", "0")
    assert (status, out) == (75, "")
    assert err.splitlines()[-1] == (
        "error: not yet after 0 s: seat 5 is being invited: 1 of 3 votes, waiting for seats "
        "2 (does not answer), 3 (is not back), 4 (lost its folder); the node goes on having seat "
        "5 invited; `keymoot net leave 5` ends that; `keymoot net status` shows it"
    )


@pytest.mark.parametrize(
    ("looks", "status", "state"),
    [
        ([standing(joining=joining([1, 2, 3], settled=True))], 0, "admitted"),
        ([standing(members=[1, 2, 3, 4, 5])], 0, "joined"),
        ([standing(joining=joining([]))], 75, "waiting"),
        ([standing(joining=joining([]), epoch=epoch(stage="dealing"))], 75, "waiting"),
        ([standing()], 1, "refused"),
        ([NodeSilent("/tmp", 10)], 75, "unknown"),
        ([NodeGone("/tmp")], 1, "unknown"),
        ([NoNode("/tmp")], 1, "unknown"),
        ([NodeRefused("NODE_STARTS", "it starts"), standing(members=[5])], 1, "unknown"),
        ([{"ok": True, "ready": False}], 1, "refused"),
    ],
)
def test_json_says_what_happened_and_the_status_is_true(told, looks, status, state):
    code, out, _ = told(Script(*looks), "join", "--wait", "0", "--json")
    found = json.loads(out)
    assert (code, found["state"], found["seat"]) == (status, state, 5)
    assert found["done"] is (status == 0)
    assert found["change"] == "join"


def test_a_node_that_starts_is_waited_for(told):
    script = Script(
        NodeRefused("NODE_STARTS", "it starts"),
        {"ok": True, "ready": False},
        standing(members=[1, 2, 3, 4, 5]),
    )
    status, _, err = told(script, "join")
    assert status == 0
    assert err.splitlines() == ["it starts", "the committee is still making its keys …"]


def test_a_node_that_ends_meanwhile_is_told_of_with_what_goes_on(told):
    script = Script(standing(joining=joining([])), NoNode("/tmp"))
    status, _, err = told(script, "join")
    assert status == 1
    assert "no node of yours runs" in err
    assert "the node goes on having seat 5 invited" in err


@pytest.mark.parametrize("verb", ["join", "turn"])
def test_a_refusal_is_the_nodes_own_and_at_once(told, monkeypatch, verb):
    class No(Script):
        def ask(self, data, verb, **values):
            if verb == "standing":
                return super().ask(data, verb)
            raise NodeRefused("NO_CHANGE", "all 64 seats are taken")

    began = time.monotonic()
    status, out, err = told(No(standing()), verb, "--json", "--wait", "5000")
    assert time.monotonic() - began < 1_000
    assert (status, err) == (1, "error: all 64 seats are taken\n")
    assert json.loads(out)["code"] == "NO_CHANGE"


TOO_FEW = "too few would be left, or no mix of makers"


def leaving(votes, *, settled=False) -> dict:
    return {"2": {"settled": settled, "votes": [*votes]}}


def test_leave_ends_when_the_ledger_has_it_and_not_when_it_cannot_happen(told):
    script = Script(
        standing(leaving=leaving([1]), lost=[2]),
        standing(leaving=leaving([1, 3, 4], settled=True)),
        standing(leaving=leaving([1, 3, 4], settled=True), next=[1, 3, 4, 5]),
    )
    status, out, err = told(script, "leave", "2")
    assert (status, script.asked) == (0, [("leave", 2)])
    assert out == "seat 2 leaves with the end of the epoch: `keymoot net turn` ends it now\n"
    assert err.splitlines() == [
        "seat 2 is to leave: 1 of 3 votes, waiting for seats 2 (lost its folder), 3, 4 …",
        f"seat 2 is to leave and stays until another joins: {TOO_FEW} …",
    ]
    kept = Script(standing(leaving=leaving([1, 3, 4], settled=True)))
    assert told(kept, "leave", "2", "--wait", "0")[0] == 75
    assert told(Script(standing(members=[1, 3, 4, 5])), "leave", "2")[0] == 0
    assert told(Script(standing()), "leave", "2")[0] == 1


LAST = (
    "epoch 3 is to end (1 attempt failed: too few were heard in time): "
    "0 of 3 votes, waiting for seats 1, 2, 3, 4 …"
)


def test_turn_shows_each_stage_and_who_is_waited_for(told):
    script = Script(
        standing(),
        standing(epoch=epoch(votes=[1, 2])),
        standing(epoch=epoch(stage="dealing", awaited=[4]), silent=[4]),
        standing(epoch=epoch(stage="verdicts", awaited=[])),
        standing(epoch=epoch(failed=1)),
        standing(epoch=epoch(number=4)),
    )
    status, out, err = told(script, "turn")
    assert (status, out) == (0, "epoch 4 has begun\n")
    assert script.asked == [("turn", 3)]
    assert err.splitlines() == [
        "epoch 3 is to end: 2 of 3 votes, waiting for seats 3, 4 …",
        "epoch 3 is ending: dealing shares of shares, waiting for seat 4 (does not answer) …",
        "epoch 3 is ending: checking them …",
        LAST,
    ]


def test_turn_asks_again_while_votes_are_missing(told, monkeypatch):
    monkeypatch.setattr(waiting, "AGAIN_SECONDS", 0.0)
    looks = [standing(), *[standing(epoch=epoch(votes=[1]))] * 3, standing(epoch=epoch(number=4))]
    script = Script(*looks)
    assert told(script, "turn")[0] == 0
    assert script.asked == [("turn", 3)] * 4


def test_turn_that_does_not_happen_fails_and_the_votes_stand(told):
    script = Script(standing(epoch=epoch(stage="holding", awaited=[2, 3])))
    status, out, err = told(script, "turn", "--wait", "0", "--json")
    assert (status, json.loads(out)["done"], json.loads(out)["epoch"]) == (75, False, 3)
    assert "adding them up, waiting for seats 2, 3; votes that the ledger has stand" in err


@pytest.mark.parametrize("command", [("join",), ("leave", "2"), ("turn",)])
def test_control_c_says_what_goes_on(told, command):
    script = Script(standing(joining=joining([]), leaving=leaving([])), KeyboardInterrupt())
    status, out, err = told(script, *command, "--json")
    assert status == 130
    assert json.loads(out)["done"] is False
    last = err.splitlines()[-1]
    assert last.startswith("stopped waiting: ")
    assert "goes on" in last or "stand until the epoch ends" in last


def test_another_networks_rpc_is_refused_before_anything_is_asked(told, monkeypatch):
    class Other:
        def identity(self):
            return type("I", (), {"network": type("N", (), {"hex0x": "0x34"})})

    monkeypatch.setattr("keymoot.cli.settings.network", lambda _: Other())
    script = Script(standing())
    for command in (("join",), ("leave", "2"), ("turn",)):
        status, _, err = told(script, *command, "--url", "http://x")
        assert status == 1
        assert "keeps another network than http://x" in err
    assert {one for one, *_ in script.asked} == {"network"}


def test_a_node_that_hangs_is_waited_for_as_long_as_was_said(told):
    seen = []

    class Hangs(Script):
        def ask(self, data, verb, *, seconds=60.0, **values):
            seen.append(seconds)
            raise NodeSilent(data, seconds)

    assert told(Hangs(standing()), "join", "--wait", "3")[0] == 75
    assert told(Hangs(standing()), "join", "--wait", "500")[0] == 75
    assert seen[0] == waiting.ANSWER_SECONDS
    assert 400 < seen[1] <= 500


def test_a_disk_that_takes_nothing_is_named_as_what_is_waited_for(told):
    script = Script(standing(joining=joining([1]), storage="the ledger cannot be written: full"))
    status, _, err = told(script, "join", "--wait", "0")
    assert status == 75
    assert "waiting for seats 2, 3, 4; the ledger cannot be written: full" in err


def test_a_wait_is_a_whole_number(told):
    assert told(Script(standing()), "turn", "--wait", "-1")[0] == 2
    assert told(Script(standing()), "turn", "--wait", "x")[0] == 2
