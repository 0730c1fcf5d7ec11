"""Enough enclaves are asked at once; the others where one of those does not answer well."""

import asyncio
import time

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.enclave.answer import Answer
from keymoot.node.cosigners import Cosigners
from keymoot.threshold.committee import Committee

FIRST, SECOND = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)


class FakeSeat:
    """Answers, refuses, is silent, or speaks nonsense; remembers what it was asked."""

    def __init__(self, index, kind="answers"):
        self.index = index
        self.kind = kind
        self.asked = []

    async def cosign(self, asked):
        self.asked.append([request for request, _ in asked])
        if self.kind == "silent":
            raise Refused("silent")
        if self.kind == "short":
            return []
        if self.kind == "slow":
            await asyncio.sleep(2)
        code = "NOT_HELD" if self.kind == "refuses" else ""
        return [Answer(request, bytes((self.index,)), b"", code) for request, _ in asked]


def ask(seats, *requests, by_all=()):
    committee = Committee.of(len(seats))
    cosigners = Cosigners(lambda: seats, lambda: committee)
    asked = [(request, b"beacon") for request in requests]
    return asyncio.run(cosigners.ask(asked, frozenset(by_all)))


def of_kinds(*kinds):
    return [FakeSeat(at, kind) for at, kind in enumerate(kinds, 1)]


def answered(given):
    return {seat for seat, one in given if not one.code}


def test_one_of_four_rests():
    seats = of_kinds(*["answers"] * 4)
    found = ask(seats, FIRST, SECOND)
    assert sorted(len(one.asked) for one in seats) == [0, 1, 1, 1]
    assert len(answered(found[FIRST])) == len(answered(found[SECOND])) == 3


def test_everyone_has_a_turn():
    seats = of_kinds(*["answers"] * 7)
    cosigners = Cosigners(lambda: seats, lambda: Committee.of(7))

    async def often():
        for _ in range(7):
            await cosigners.ask([(FIRST, b"")], frozenset())

    asyncio.run(often())
    assert [len(one.asked) for one in seats] == [5] * 7


def test_the_others_are_asked_where_one_does_not_answer_well():
    for kind in ("refuses", "silent", "short"):
        for bad in range(4):
            kinds = ["answers"] * 4
            kinds[bad] = kind
            seats = of_kinds(*kinds)
            assert answered(ask(seats, FIRST)[FIRST]) == {1, 2, 3, 4} - {bad + 1}
            assert all(len(one.asked) <= 1 for one in seats)


def test_only_what_lacks_answers_is_asked_again():
    seats = of_kinds(*["answers"] * 4)

    async def knows_only_the_first(asked):
        seats[1].asked.append([request for request, _ in asked])
        return [Answer(one, b"", b"", "" if one == FIRST else "NOT_HELD") for one, _ in asked]

    seats[1].cosign = knows_only_the_first
    found = ask(seats, FIRST, SECOND)
    assert len(answered(found[FIRST])) == 3
    assert answered(found[SECOND]) == {1, 3, 4}
    assert seats[0].asked == [[SECOND]]


def test_what_is_no_ecdsa_signature_everyone_is_asked_for_once():
    seats = of_kinds("answers", "refuses", "answers", "answers")
    found = ask(seats, FIRST, by_all=[FIRST])
    assert [one.asked for one in seats] == [[[FIRST]]] * 4
    assert answered(found[FIRST]) == {1, 3, 4}


def test_answers_come_in_the_order_of_seats():
    found = ask(of_kinds("answers", "refuses", "answers", "answers"), FIRST)
    assert [seat for seat, _ in found[FIRST]] == [1, 2, 3, 4]


def test_who_has_left_is_asked_only_when_needed():
    seats = of_kinds(*["answers"] * 5)
    cosigners = Cosigners(lambda: seats, lambda: Committee.of(4))

    async def often():
        for _ in range(8):
            await cosigners.ask([(FIRST, b"")], frozenset())

    asyncio.run(often())
    assert not seats[4].asked


def test_one_that_is_slow_slows_nobody_down():
    for slow in range(4):
        kinds = ["answers"] * 4
        kinds[slow] = "slow"
        began = time.monotonic()
        assert answered(ask(of_kinds(*kinds), FIRST)[FIRST]) == {1, 2, 3, 4} - {slow + 1}
        assert time.monotonic() - began < 1


def test_as_many_may_be_slow_or_lie_as_may_be_broken():
    began = time.monotonic()
    for kind in ("slow", "refuses", "silent"):
        seats = of_kinds("answers", "slow", "answers", kind, *["answers"] * 3)
        assert len(answered(ask(seats, FIRST)[FIRST])) >= 5
    assert time.monotonic() - began < 1


def test_where_too_few_are_fast_the_slow_ones_are_waited_for():
    seats = of_kinds("answers", "slow", "refuses", "slow")
    assert answered(ask(seats, FIRST)[FIRST]) == {1, 2, 4}
