"""What a run looks for is found where it is there."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from keymoot.base.fixed import Hash32
from keymoot.committee.presign.ledger import Stock
from keymoot.engine.ledger import Ledger
from keymoot.testing.__main__ import main
from keymoot.testing.notes import Notes, Violation
from keymoot.testing.simulation import SimulationFailed, simulate
from keymoot.threshold import ecdsa

pytestmark = pytest.mark.long

ONE, TWO = Hash32(b"1" * 32), Hash32(b"2" * 32)


def test_one_r_for_two_digests() -> None:
    notes = Notes()
    notes.limit = 100
    notes.signed(ONE, b"r" * 32 + b"s" * 33, 1)
    notes.signed(ONE, b"r" * 32 + b"s" * 33, 1)
    with pytest.raises(Violation, match="one r"):
        notes.signed(TWO, b"r" * 32 + b"t" * 33, 1)


def test_a_limit_that_is_passed_and_one_that_is_met() -> None:
    notes = Notes()
    notes.limit = 10
    notes.signed(ONE, b"a" * 65, 10)
    notes.signed(ONE, b"b" * 65, 10)
    with pytest.raises(Violation, match="11 wei"):
        notes.signed(TWO, b"c" * 65, 1)


def test_two_certified_blocks_of_one_height() -> None:
    def covered(name: Hash32, generation: bytes = b"") -> Any:
        header = SimpleNamespace(generation=generation, height=7, hash=name)
        done = SimpleNamespace(outcome=SimpleNamespace(header=header))
        return SimpleNamespace(blocks=(done,), newest=header)

    notes = Notes()
    notes.certified(covered(ONE))
    notes.certified(covered(ONE))
    notes.certified(covered(TWO, b"next"))
    with pytest.raises(Violation, match="height 7"):
        notes.certified(covered(TWO))


def test_two_answers_to_one_presignature(tmp_path: Path) -> None:
    """Enclaves that make the nonce anew each in its own way, as a broken rule would have them."""
    turns = iter(range(10**6))
    notes = Notes()
    with notes.watching():
        watched = ecdsa.sign

        def sign(presignature: Any, work: Any) -> Any:
            return watched(presignature, replace(work, delta=work.delta + next(turns)))

        with (
            patch.object(ecdsa, "sign", sign),
            pytest.raises(SimulationFailed, match="one presignature has two answers"),
        ):
            simulate(3, tmp_path, steps=4)


def test_a_transaction_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = Notes.check_done

    def check(self: Notes, ledger: Ledger) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "transaction", lambda *_: None)
            real(self, ledger)

    monkeypatch.setattr(Notes, "check_done", check)
    with pytest.raises(SimulationFailed, match="is gone"):
        simulate(3, tmp_path, steps=6)


def test_a_network_that_stands_still(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Stock, "take", lambda *_: None)
    with pytest.raises(SimulationFailed, match="a signature at the end has not come") as error:
        simulate(3, tmp_path, steps=3)
    assert "again: python -m keymoot.testing 3" in str(error.value)


@pytest.mark.parametrize("wrong", [[], ["x"], ["1:x"], ["5:3"], ["-1"], ["1", "²"], ["9" * 20]])
def test_seeds_that_are_none_are_told_how_to_name_them(wrong: list[str], capsys) -> None:
    assert main(wrong) == 2
    assert "python -m keymoot.testing SEED" in capsys.readouterr().err
