"""One file that proves a wallet, cells and a receipt: each step by name, or the one that fails."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.cli.dossier import check_file
from keymoot.cli.output import CommandFailed
from keymoot.proof.dossier import Dossier, assumptions
from keymoot.proof.errors import NotProven
from tests.proof.altered import alterations, refusal
from tests.proof.dossiers import check_claims, whole_dossier
from tests.proof.world import World

WORLD = World()
DOSSIER, WALLET = whole_dossier(WORLD)
TOLD = DOSSIER.to_json()
STEPS = [
    "founding record",
    "certificate",
    "header",
    "members",
    "wallet",
    "account",
    "slot",
    "slot",
    "slot",
    "transaction",
    "receipt",
]
REFUSALS = {
    "MALFORMED",
    "NOT_PROVEN",
    "BROKEN_PROOF",
    "NOT_CERTIFIED",
    "NOT_FOUNDED",
    "BAD_POINT",
    "BAD_COMMITTEE",
}


def test_every_step_is_named() -> None:
    held = list(Dossier.from_json(TOLD).examine(WORLD.network))
    assert [one.name for one in held] == STEPS
    assert WALLET.hex0x in held[4].says
    assert held[8].says.endswith(": absent")
    assert all(one.says for one in held)


def test_what_was_not_asked_for_is_no_step() -> None:
    bare = replace(DOSSIER, wallet=None, account=None, receipt=None)
    assert [one.name for one in bare.examine(WORLD.network)] == STEPS[:4]


def test_what_is_left_to_believe_is_said() -> None:
    founded = DOSSIER.founding.check(WORLD.network)
    pinned, alone = (assumptions(founded, pinned=one) for one in (True, False))
    assert any("SIMULATED" in one for one in pinned)
    assert alone[1:] == pinned
    assert "own word" in alone[0]


def test_another_network_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(NotProven, match="the file is of network"):
        list(DOSSIER.examine(World("another").network))
    whole, _ = whole_dossier(World("another"))
    mixed = replace(DOSSIER, founding=whole.founding)
    with pytest.raises(NotProven, match="not that of network"):
        list(mixed.examine(None))


@pytest.mark.parametrize("part", ["founding", "shown", "members", "wallet", "account", "receipt"])
def test_no_part_of_another_network_fits(part: str) -> None:
    other, _ = whole_dossier(World("another"))
    mixed = replace(DOSSIER, **{part: getattr(other, part)})
    assert refusal(lambda: list(mixed.examine(WORLD.network))) in REFUSALS


@given(st.data())
def test_whatever_is_altered_is_refused_or_claims_less(data: st.DataObject) -> None:
    changed = data.draw(alterations(TOLD))
    assume(changed is not None)
    said = refusal(lambda: list(Dossier.from_json(changed).examine(WORLD.network)))
    if said:
        assert said in REFUSALS
    else:
        check_claims(Dossier.from_json(changed), DOSSIER, WORLD)


def test_the_command_says_what_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(TOLD))
    check_file(str(file), WORLD.network.hex0x, as_json=False)
    shown = capsys.readouterr().out
    assert shown.count("holds    ") == len(STEPS)
    assert "believed SIMULATED" in shown
    # What the RPC answered may be kept as it came.
    file.write_text(json.dumps({"jsonrpc": "2.0", "id": 1, "result": TOLD}))
    check_file(str(file), None, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["holds"] is True
    assert [one["step"] for one in told["checked"]] == STEPS


def test_the_command_fails_where_one_step_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "proof.json"
    other, _ = whole_dossier(World("another"))
    broken = replace(DOSSIER, wallet=other.wallet).to_json()
    for text, network, held in (
        (json.dumps(broken), None, STEPS[:4]),
        (json.dumps(TOLD), World("another").network.hex0x, []),
        (json.dumps(TOLD), "0x12", []),
        (json.dumps(TOLD)[:-1], None, []),
        ("{}", None, []),
    ):
        file.write_text(text)
        with pytest.raises(CommandFailed) as caught:
            check_file(str(file), network, as_json=True)
        assert caught.value.status == 1
        shown = capsys.readouterr()
        told = json.loads(shown.out)
        assert (told["holds"], told["assumptions"]) == (False, [])
        assert [one["step"] for one in told["checked"]] == held
        assert "proves nothing" in shown.err
