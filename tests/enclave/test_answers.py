"""What is open, by its block: a certificate looks at what its blocks bound, and at no more."""

from typing import Any

from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.outcome import KeyAsk
from keymoot.enclave.answers import KEPT_SECONDS, Answers
from keymoot.enclave.bound import Bound
from keymoot.threshold.derived import AskerKey

GENERATION = Hash32(bytes(32))
UNTIL = UnixSeconds(1_000)
VALUE = b"v" * 32


class Counted(dict[Hash32, Any]):
    """Counts how often it is gone through."""

    walks = 0

    def items(self) -> Any:
        self.walks += 1
        return super().items()


def answers() -> Answers:
    nothing: Any = None
    return Answers(nothing, nothing, NetworkId(bytes(32)), nothing, nothing)


def asked(number: int) -> KeyAsk:
    return KeyAsk(
        question=Hash32(number.to_bytes(32, "big")),
        asker=Address(bytes(20)),
        inputs=b"",
        to=AskerKey(b"", b""),
        expires_at=UNTIL,
        height=Height(0),
    )


def bind(made: Answers, height: int, *numbers: int) -> list[Hash32]:
    asks = tuple(map(asked, numbers))
    nothing: Any = {}
    made.bind(Height(height), GENERATION, nothing, Bound((), asks))
    return [ask.question for ask in asks]


def certify(made: Answers, height: int) -> None:
    nothing: Any = None
    made.certify(Height(height), VALUE, nothing)


def valued(made: Answers, names: list[Hash32]) -> list[bool]:
    return [made._open[name].value == VALUE for name in names]


def test_a_certificate_looks_at_what_its_blocks_bound_and_at_no_more() -> None:
    made = answers()
    made._open = counted = Counted()
    for height in range(1, 200):
        names = bind(made, height, *range(10 * height, 10 * height + 10))
        certify(made, height)
        assert made.bound_at(Height(height)) == names
        assert all(valued(made, names))
    assert len(counted) == 1_990
    assert counted.walks == 0


def test_only_a_blocks_own_certificate_has_what_it_bound_answered() -> None:
    made = answers()
    first, second, third = (bind(made, height, height) for height in (1, 2, 3))
    certify(made, 2)
    assert [valued(made, names) for names in (first, second, third)] == [[False], [True], [False]]
    certify(made, 3)
    assert [valued(made, names) for names in (first, second, third)] == [[False], [True], [True]]


def test_what_is_bound_anew_is_the_later_blocks() -> None:
    made = answers()
    bind(made, 1, 7, 8)
    bind(made, 2, 8)
    assert made.bound_at(Height(1)) == [asked(7).question]
    certify(made, 1)
    assert valued(made, [asked(7).question, asked(8).question]) == [True, False]
    assert made.bound_at(Height(2)) == [asked(8).question]
    certify(made, 2)
    assert valued(made, [asked(8).question]) == [True]


def test_what_is_forgotten_is_forgotten_by_its_block_too() -> None:
    made = answers()
    bind(made, 1, 1, 2)
    certify(made, 1)
    made.forget(UnixSeconds(UNTIL + KEPT_SECONDS))
    assert len(made.bound_at(Height(1))) == 2
    made.forget(UnixSeconds(UNTIL + 3 * KEPT_SECONDS))
    assert made.bound_at(Height(1)) == []
    assert not made._open
    assert not made._names
