"""Requirements pin all that they name: held against pip's own reading of the same file."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pip._internal.exceptions import InstallationError
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements
from pip._vendor.packaging.markers import InvalidMarker

from keymoot.base.errors import Malformed
from keymoot.image.requirements import check_pinned
from tests.examples import examples

# Libraries that pip carries warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HASH = f"--hash=sha256:{'0a' * 32}"
PIECES = [
    *("httpx==1.0", "evil==1", "httpx[http2]==1!1.0+x", "evil", "evil>=1", "evil @ file:///x"),
    *(HASH, f" {HASH}", f"--hash=md5:{'0a' * 16}", "--hash=sha256:0a", "-r other.txt", "-e ."),
    *("-i http://evil", "--no-binary evil", "--config-settings=a=b", "--global-option=x"),
    *(" \\\n", "\\\n", "\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"),
    *("# no more", " # no more", "#x", "# \\", " ", "\t"),
    *('; python_version > "3"', ";", "${HOME}", "\\", "\0"),
]


def by_pip(path: Path) -> list[tuple[str, bool]]:
    """Give what pip would install by the file, and whether hashes bind it to a version.

    InstallationError and InvalidMarker are pip's word that it would install nothing.
    """
    with PipSession() as session:
        found = [
            install_req_from_parsed_requirement(parsed)
            for parsed in parse_requirements(str(path), session)
        ]
    return [
        (str(one.req), bool(one.hash_options) and one.is_pinned and not one.editable)
        for one in found
    ]


@settings(max_examples=examples(3_000), deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_is_called_pinned_pip_finds_pinned(tmp_path_factory: object, text: str) -> None:
    raw = text.encode()
    try:
        check_pinned(raw, "requirements.txt")
    except Malformed as refused:
        assert refused.path
        return
    path = Path(tmp_path_factory.getbasetemp()) / "requirements.txt"  # type: ignore[attr-defined]
    path.write_bytes(raw)
    try:
        found = by_pip(path)
    except (InstallationError, InvalidMarker):
        return
    assert all(pinned for _, pinned in found)
    assert len(found) == len(re.findall(r"(?m)^ *(?:httpx|evil)", text))


def test_files_as_uv_and_pip_write_them(tmp_path: Path) -> None:
    raw = (
        f"# This file was made by uv\nhttpx==0.28.1 ; python_full_version >= '3.11' \\\n    {HASH} "
        f"\\\n    {HASH}\n    # via -r requirements.in\n\nanyio==4.0  {HASH}  # via httpx\n"
    )
    check_pinned(raw.encode(), "requirements.txt")
    (tmp_path / "r.txt").write_text(raw)
    assert [pinned for _, pinned in by_pip(tmp_path / "r.txt")] == [True, True]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("httpx\n", 1),
        (f"httpx {HASH}\n", 1),
        (f"a==1 {HASH}\nhttpx==1\n", 2),
        (f"a==1 {HASH}\n\n# more\nhttpx>=1 {HASH}", 4),
        (f"a==1 {HASH} --hash=md5:00", 1),
        (f"a==1 {HASH} --config-settings=x=y", 1),
        (f"a==1 -e {HASH}", 1),
        ("-i http://evil", 1),
        ("-r more.txt", 1),
        (f"a==1 {HASH} \\", 1),
        (f"a==1 {HASH}\x0bevil", 1),
        (f"a==1 ; '${{X}}' == '' {HASH}", 1),
        (f"# note\r\na==1 {HASH}", 1),
        ("\\ # no more", 1),
        (f"a==1 \\ \n{HASH}", 1),
        (f"a==1 {HASH} # hides the next \\\nb==1 {HASH}", 1),
        (f"a==1 {HASH} \\\\\n", 1),
        ("é", 0),
    ],
)
def test_what_is_not_pinned_is_named_by_its_line(text: str, at: int) -> None:
    with pytest.raises(Malformed) as refused:
        check_pinned(text.encode(), "r.txt")
    assert refused.value.path == (f"r.txt:{at}" if at else "r.txt")
