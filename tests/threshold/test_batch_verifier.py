"""A batch holds when all its equations do, and its weights are nobody's to foresee."""

from keymoot.threshold import batch_verifier as tallies
from keymoot.threshold.batch_verifier import WEIGHT_BITS, BatchVerifier
from keymoot.threshold.polynomial import masked
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import rng


def opened(*errors):
    """Claims that commitments hold what they hold; errors are added to the values."""
    verifier = BatchVerifier(rng())
    for error in errors:
        value, mask = rng().scalars(SECP256K1, "s", 2)
        weight = verifier.weight()
        verifier.add_point(weight, masked(value, mask))
        verifier.add_opening(weight, SECP256K1.add_scalars((value, SECP256K1.hide(error))), mask)
    return verifier.holds()


def test_holds_when_all_hold():
    assert opened()
    assert opened(0)
    assert opened(0, 0, 0)


def test_one_error_fails_it():
    assert not opened(1)
    assert not opened(0, 0, 1, 0)


def test_errors_do_not_cancel():
    """A plain sum would let +1 and −1 through; weights do not."""
    assert not opened(1, -1)
    assert not opened(5, 0, -2, -3)


def test_public_openings_count():
    for base, second, holds in ((7, 9, True), (8, 9, False), (7, 8, False)):
        verifier = BatchVerifier(rng())
        weight = verifier.weight()
        verifier.add_point(weight, masked(SECP256K1.hide(7), SECP256K1.hide(9)))
        verifier.add_base(weight * base, weight * second)
        assert verifier.holds() == holds


def test_weights_are_of_the_rng_and_all_differ():
    """Whoever does not know the seed cannot choose errors that cancel."""
    one, other = BatchVerifier(rng()), BatchVerifier(rng())
    drawn = [verifier.weight() for verifier in (one, other) for _ in range(300)]
    assert len(set(drawn)) == 600
    assert all(weight < 1 << WEIGHT_BITS for weight in drawn)
    for bit in range(WEIGHT_BITS):
        assert 200 < sum(weight >> bit & 1 for weight in drawn) < 400
    assert one.long_weight().bit_length() > 100


def test_known_weights_would_be_worth_nothing(monkeypatch):
    """The attack that fresh weights prevent: with weights that are known, errors cancel."""
    monkeypatch.setattr(tallies.BatchVerifier, "weight", lambda _: 1)
    assert opened(1, -1)
