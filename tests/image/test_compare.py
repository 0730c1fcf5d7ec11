"""What differs between two bundles is said by name."""

from keymoot.image.bundle import Bundle, File
from keymoot.image.compare import MAX_SHOWN, differences
from keymoot.image.manifest import Described

DESCRIBED = Described("yield", "1", ("python3", "a"))


def bundle(described: Described = DESCRIBED, **files: bytes | File) -> Bundle:
    made = {path: one if isinstance(one, File) else File(one) for path, one in files.items()}
    return Bundle.make(described, made)


def test_the_same() -> None:
    assert differences(bundle(a=b"1"), bundle(a=b"1")) == []


def test_each_difference_is_told() -> None:
    ours = bundle(a=b"1", b=b"x\n", c=b"", d=File(b"", executable=True), e=b"same")
    theirs = bundle(
        Described("yield", "2", ("python3", "a")), a=b"22", b=b"x\r\n", d=b"", e=b"same", f=b""
    )
    assert differences(ours, theirs) == [
        "version: 1 here, 2 there",
        "a: other content: 1 bytes here, 2 there",
        "b: other ends of lines: see `core.autocrlf` of git",
        "c: not there",
        "d: executable here, not there",
        "f: not here",
    ]
    assert "d: executable there, not here" in differences(theirs, ours)


def test_many_differences_are_counted() -> None:
    told = differences(bundle(a=b""), bundle(**{f"f{at}": b"" for at in range(40)}))
    assert len(told) == MAX_SHOWN + 1
    assert told[-1] == "and 21 more"
