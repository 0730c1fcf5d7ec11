"""A bundle has one form: made anywhere it is the same, and any other bytes are none."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from hashlib import sha256, sha384
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.image.bundle import LISTING, MAX_FILES, Bundle, File
from keymoot.image.errors import NoBundle
from keymoot.image.manifest import Described, Resources
from keymoot.image.paths import check_apart
from keymoot.image.source import build
from tests.examples import examples, of
from tests.image.folders import FILES, app_folder

ARCHIVE = "6589ba59bf19ff99ef901847c78c02dd8ff29f06615c6955a916348850c83f5e"
"""SHA-256 of the archive, as CPython 3.11 wrote it."""

DESCRIBED = Described("yield", "1.2.3", ("python3", "agent.py"))
PATHS = st.lists(
    st.text("abcXYZ019_+@=.-", min_size=1, max_size=5).filter(lambda part: part not in (".", "..")),
    min_size=1,
    max_size=3,
).map("/".join)
NAMED = st.dictionaries(
    PATHS, st.builds(File, st.binary(max_size=40), st.booleans()), min_size=1, max_size=6
)


def test_the_bytes_that_every_machine_comes_to(tmp_path: Path) -> None:
    """Also other versions of Python; the list is written by hand here, and not by our code."""
    bundle = build(app_folder(tmp_path))
    listed = ",".join(
        f'{{"bytes":{len(FILES[path].encode())},"executable":false,"path":"{path}",'
        f'"sha256":"{sha256(FILES[path].encode()).hexdigest()}"}}'
        for path in ("agent.py", "requirements.txt", "yields/best.py", "yields/deep/er.py")
    )
    listing = (
        f'{{"command":["python3","agent.py"],"files":[{listed}],"format":"keymoot-bundle/v1",'
        '"name":"yield","requirements":"requirements.txt","resources":{"cpus":2,"memory_mib":256},'
        '"secrets":["OPENAI_API_KEY"],"version":"1.2.3"}'
    )
    assert bundle.measurement == sha384(f"keymoot-bundle/v1\n{listing}".encode()).digest()
    assert sha256(bundle.to_bytes()).hexdigest() == ARCHIVE


def test_what_a_machine_decides_is_not_in_it(tmp_path: Path) -> None:
    first = build(app_folder(tmp_path / "first"))
    before = os.umask(0o077)
    try:
        other = app_folder(tmp_path / "other", dict(reversed(FILES.items())))
    finally:
        os.umask(before)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    (other / "yields/best.py").chmod(0o666)
    (other / "yields/__pycache__").mkdir()
    (other / "yields/__pycache__/best.cpython-311.pyc").write_bytes(b"made by an interpreter")
    (other / "yield-1.2.3.bundle").write_bytes(first.to_bytes())
    (other / "notes.txt").write_text("nobody included this")
    assert build(other).to_bytes() == first.to_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "agent.py").write_text("print('hullo')\n"),
        lambda folder: (folder / "agent.py").chmod(0o755),
        lambda folder: (folder / "yields/more.py").write_text(""),
        lambda folder: (folder / "yields/best.py").rename(folder / "yields/worst.py"),
        *(
            lambda folder, old=old, new=new: (folder / "keymoot.toml").write_text(
                FILES["keymoot.toml"].replace(old, new)
            )
            for old, new in [
                ('"yield"', '"yields"'),
                ("1.2.3", "1.2.4"),
                ('"python3"', '"python3.11"'),
                ("256", "257"),
                ("cpus = 2", "cpus = 3"),
                ("OPENAI", "GEMINI"),
                ('requirements = "requirements.txt"', ""),
            ]
        ),
    ],
)
def test_everything_an_agent_starts_with_is_measured(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    folder = app_folder(tmp_path)
    before = build(folder)
    change(folder)
    after = build(folder)
    assert after.measurement != before.measurement
    assert after.to_bytes() != before.to_bytes()


def test_what_people_read_is_not_measured(tmp_path: Path) -> None:
    folder = app_folder(tmp_path)
    before = build(folder)
    (folder / "keymoot.toml").write_text(FILES["keymoot.toml"].replace("Moves", "Takes"))
    assert build(folder).to_bytes() == before.to_bytes()


@settings(max_examples=examples(300), deadline=None)
@given(NAMED)
def test_a_bundle_is_read_as_it_was_made(files: dict[str, File]) -> None:
    try:
        check_apart(files)
    except Malformed:
        with pytest.raises(Malformed):
            Bundle.make(DESCRIBED, files)
        return
    bundle = Bundle.make(DESCRIBED, files)
    again = Bundle.read(bundle.to_bytes())
    assert again == bundle
    assert list(again.files) == sorted(files)
    assert again.measurement == bundle.measurement


def test_any_other_bit_makes_it_none() -> None:
    raw = Bundle.make(DESCRIBED, {"agent.py": File(b"print('hello')\n")}).to_bytes()
    for bit in range(0, 8 * len(raw), of(17, 1)):
        other = bytearray(raw)
        other[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Malformed):
            Bundle.read(bytes(other))


@pytest.mark.parametrize("at", ["before", "behind", "comment"])
def test_nothing_stands_beside_the_entries(at: str) -> None:
    raw = Bundle.make(DESCRIBED, {"agent.py": File(b"")}).to_bytes()
    if at == "comment":
        held = io.BytesIO(raw)
        with zipfile.ZipFile(held, "a") as archive:
            archive.comment = b"and more"
        other = held.getvalue()
    else:
        other = b"more" + raw if at == "before" else raw + b"more"
    with pytest.raises(Malformed):
        Bundle.read(other)


def archive(
    listing: bytes, entries: list[tuple[str, bytes]], packing: int = zipfile.ZIP_STORED
) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packing) as out:
        for name, content in [(LISTING, listing), *entries]:
            out.writestr(zipfile.ZipInfo(name), content, packing)
    return held.getvalue()


@pytest.mark.parametrize(
    "path", ["../agent.py", "/agent.py", "a//b", "a/./b", "c:\\agent", "é", ""]
)
def test_no_file_is_outside_of_the_folder(path: str) -> None:
    listing = Bundle.make(DESCRIBED, {"agent.py": File(b"")}).listing
    with pytest.raises(Malformed):
        Bundle.read(archive(listing, [(path, b"")]))
    with pytest.raises(Malformed):
        Bundle.make(DESCRIBED, {path: File(b"")})


def test_a_list_that_says_otherwise_is_refused() -> None:
    bundle = Bundle.make(DESCRIBED, {"agent.py": File(b"good")})
    told = json.loads(bundle.listing)
    for wrong in (
        told | {"format": "keymoot-bundle/v2"},
        told | {"files": []},
        told | {"name": "Yield"},
        told | {"more": 1},
        {name: value for name, value in told.items() if name != "command"},
        [told],
    ):
        raw = archive(json.dumps(wrong).encode(), [("agent.py", b"good")])
        with pytest.raises(Malformed):
            Bundle.read(raw)


def test_a_packed_bundle_is_not_unpacked() -> None:
    bundle = Bundle.make(DESCRIBED, {"agent.py": File(b"")})
    raw = archive(bundle.listing, [("agent.py", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    assert len(raw) < 100_000
    with pytest.raises(Malformed, match="packed"):
        Bundle.read(raw)


def nested(count: int, innermost: bytes) -> bytes:
    """Give an archive whose files lie within each other: each holds all that follow it."""
    data, entries = innermost, []
    for number in range(count):
        name, crc, size = b"f%d" % number, zlib.crc32(data), len(data)
        sizes = (33, crc, size, size, len(name))
        data = struct.pack("<4s4H H3I2H", b"PK\3\4", 20, 0, 0, 0, *sizes, 0) + name + data
        entries.append((name, sizes, len(data)))
    listed = b"".join(
        struct.pack(
            "<4s2B5H3I5H2I", b"PK\1\2", 20, 3, 20, 0, 0, 0, *sizes, 0, 0, 0, 0, 0, len(data) - at
        )
        + name
        for name, sizes, at in reversed(entries)
    )
    end = (0, 0, count, count, len(listed), len(data), 0)
    return data + listed + struct.pack("<4s4H2IH", b"PK\5\6", *end)


def test_no_bundle_takes_more_memory_than_it_has_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw, read, given = nested(20, bytes(10_000)), zipfile.ZipFile.read, list[int]()
    with zipfile.ZipFile(io.BytesIO(raw)) as whole:
        assert sum(entry.file_size for entry in whole.infolist()) > 19 * 10_000

    def counted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        content = read(archive, entry)
        given.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipFile, "read", counted)
    with pytest.raises(Malformed):
        Bundle.read(raw)
    assert sum(given) <= len(raw)


def test_names_that_some_disks_fold_are_refused() -> None:
    with pytest.raises(Malformed, match=r"README and readme are one file"):
        Bundle.make(DESCRIBED, {"readme": File(b""), "README": File(b"")})
    with pytest.raises(Malformed, match=r"A/b and a/B are one file"):
        Bundle.make(DESCRIBED, {"a/B": File(b""), "A/b": File(b"")})


def test_no_path_is_a_file_and_a_folder() -> None:
    with pytest.raises(Malformed, match="a is a file and a folder"):
        Bundle.make(DESCRIBED, {"a": File(b""), "a/b": File(b"")})


def test_requirements_that_are_not_there() -> None:
    described = Described("yield", "1", ("x",), "requirements.txt", (), Resources())
    with pytest.raises(NoBundle, match=r"requirements\.txt is not in the bundle"):
        Bundle.make(described, {"agent.py": File(b"")})


def test_sizes() -> None:
    with pytest.raises(NoBundle, match="no file"):
        Bundle.make(DESCRIBED, {})
    with pytest.raises(NoBundle, match=f"at most {MAX_FILES}"):
        Bundle.make(DESCRIBED, {f"f{at}": File(b"") for at in range(MAX_FILES + 1)})
    half = File(bytes(20 << 20))
    with pytest.raises(NoBundle, match="bytes of files"):
        Bundle.make(DESCRIBED, {"a": half, "b": half})
