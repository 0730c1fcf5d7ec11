"""How many answers make one: by kind of request, and by who is named."""

from types import SimpleNamespace
from typing import Any

from keymoot.base.fixed import Address
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.nonces.record import SignerCommitment, SignerCommitments
from keymoot.committee.presign.record import PresignatureId
from keymoot.contracts.builtin.keys import Question
from keymoot.contracts.builtin.wallets.record import BOUND, QUEUED, REFUSED
from keymoot.node.answers.signing_material import need_of_question, need_of_record
from keymoot.threshold.committee import Committee
from keymoot.threshold.frost import Commitment

FOUR, SEVEN = Committee.of(4), Committee.of(7)


def record(status: str = BOUND, bound_to: bytes = b"", expires_at: int = 100) -> Any:
    return SimpleNamespace(
        status=status,
        bound_to=bound_to,
        height=Height(5),
        bound_at=Height(7),
        time=UnixSeconds(50),
        expires_at=UnixSeconds(expires_at),
    )


def test_a_presignature_takes_one_more_than_its_degree_and_room_for_liars() -> None:
    bound = record(bound_to=bytes(PresignatureId.LENGTH))
    need = need_of_record(bound, FOUR)
    assert need is not None
    assert need.height == 7
    assert [need.met(range(1, count + 1)) for count in range(4)] == [False, False, True, True]
    assert [need.met_well(range(1, count + 1)) for count in range(5)] == [False] * 3 + [True] * 2
    larger = need_of_record(bound, SEVEN)
    assert larger is not None
    assert (larger.enough, larger.well) == (3, 5)


def test_named_signers_have_to_answer_all_and_others_stand_for_none_of_them() -> None:
    commitment = Commitment(b"h" * 32, b"b" * 32)
    slots = SignerCommitments(
        tuple([SignerCommitment(at, 0, commitment) for at in (1, 2, 4)])
    ).encode()
    need = need_of_record(record(bound_to=slots), FOUR)
    assert need is not None
    assert not need.met([1, 2, 3])
    assert need.met([1, 2, 4])
    assert need.met_well([1, 2, 3, 4])


def test_in_vault_any_one_will_do() -> None:
    need = need_of_record(record(), FOUR)
    assert need is not None
    assert need.height == 5
    assert not need.met([])
    assert need.met_well([3])


def test_a_derived_key_takes_more_than_half_of_all() -> None:
    question = Question(Address(b"a" * 20), Height(9), UnixSeconds(80))
    need = need_of_question(question, SEVEN)
    assert (need.height, need.until, need.enough, need.well) == (9, 80, 5, 7)
    # With four there is nobody to spare.
    assert need_of_question(question, FOUR).well == 4


def test_what_is_not_bound_needs_nothing() -> None:
    assert need_of_record(record(REFUSED), FOUR) is None
    assert need_of_record(record(QUEUED), FOUR) is None


def test_answers_are_kept_for_a_day_from_when_it_was_decided() -> None:
    soon, late = need_of_record(record(), FOUR), need_of_record(record(expires_at=10**6), FOUR)
    assert soon is not None
    assert soon.until == 50 + REMEMBERED_SECONDS
    assert late is not None
    assert late.until == 10**6
