"""Every reason to keep a transaction out of a block has a word of its own."""

from keymoot.runtime import inadmissible
from keymoot.runtime.inadmissible import Inadmissible


def test_each_class_has_a_code_and_no_two_the_same() -> None:
    kinds = Inadmissible.__subclasses__()
    codes = [vars(kind).get("code") for kind in kinds]
    assert len(kinds) == 16
    assert None not in codes
    assert len(set(codes)) == len(codes)
    assert {kind.__module__ for kind in kinds} == {inadmissible.__name__}
