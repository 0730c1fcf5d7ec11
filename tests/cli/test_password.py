"""Passwords as a person gives them: typed at a terminal, or in a file."""

import json
import os
import stat
from pathlib import Path

import pytest
from eth_keyfile.keyfile import create_keyfile_json

from keymoot.agent import keystore
from tests.agent.fake_network import secret_of
from tests.cli.shell import Shell
from tests.cli.terminal import QuickTerminal, Terminal, lines

KEY = secret_of("owner")
CTRL_C, CTRL_D = "\x03", "\x04"


def write_keystore(path: Path) -> None:
    made = create_keyfile_json(KEY.expose(), b"password", kdf="pbkdf2", iterations=1_000)
    path.write_text(json.dumps(made))


NEW = ["key", "new", "owner.json"]


def new(folder: Path) -> Terminal:
    return QuickTerminal(folder, *NEW).wait_for("Password: ")


def test_a_password_is_typed_twice_and_never_shown(tmp_path: Path) -> None:
    at = Terminal(tmp_path, *NEW).wait_for("Password: ")
    assert not at.echoes
    at.type("correct horse\n").wait_for("Again: ").type("correct horse\n")
    assert at.end() == 0
    assert "correct" not in at.shown
    assert keystore.load(tmp_path / "owner.json", "correct horse")
    assert stat.S_IMODE((tmp_path / "owner.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("typed", "again", "words"),
    [
        (CTRL_D, None, "error: no password was given: type one, or use --password-file FILE"),
        ("\n", None, "error: an empty password protects nothing; choose one"),
        ("one\n", "other\n", "error: the two passwords differ: nothing was written"),
        ("one\n", CTRL_D, "error: no password was given: type one, or use --password-file FILE"),
    ],
)
def test_no_key_is_made_without_a_password(
    tmp_path: Path, typed: str, again: str | None, words: str
) -> None:
    at = new(tmp_path).type(typed)
    if again is not None:
        at.wait_for("Again: ").type(again)
    assert at.end() == 1
    assert lines(at.shown)[-1] == words
    assert not (tmp_path / "owner.json").exists()


@pytest.mark.parametrize("before", ["", "half of"])
def test_ctrl_c_at_the_prompt_ends_it(tmp_path: Path, before: str) -> None:
    at = new(tmp_path).type(before + CTRL_C)
    assert at.end() == 130
    assert "stopped" in at.shown
    assert not (tmp_path / "owner.json").exists()


OWNERS = [
    ["wallet", "create", "x", "--owner", "missing.json"],
    ["wallet", "pause", "x", "--owner", "missing.json"],
    ["wallet", "grant", "x", "--owner", "missing.json", "--out", "x.cred"],
    ["key", "derive", "x", "out.hex", "--owner", "missing.json"],
]


@pytest.mark.parametrize("command", OWNERS, ids=lambda one: " ".join(one[:2]))
def test_a_missing_keystore_is_noticed_before_the_password(tmp_path: Path, command: list) -> None:
    at = QuickTerminal(tmp_path, *command)
    assert at.end() == 1
    assert "Password" not in at.shown
    assert "missing.json is not there" in at.shown
    assert "keymoot key new missing.json" in at.shown.replace("\r\n", " ")
    assert not (tmp_path / "out.hex").exists()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("{}"), "no keystore of version 3"),
        (lambda path: path.write_text("[" * 16_000), "it is not JSON"),
        (lambda path: path.write_bytes(bytes(20_000)), "over 16384 bytes"),
        (lambda path: path.mkdir(), "it is a folder"),
        (os.mkfifo, "it is not a file"),
    ],
)
def test_what_is_no_keystore_is_noticed_before_the_password(tmp_path: Path, make, words) -> None:
    make(tmp_path / "owner.json")
    at = QuickTerminal(tmp_path, "wallet", "pause", "x", "--owner", "owner.json")
    assert at.end() == 1
    assert "Password" not in at.shown
    assert words in " ".join(lines(at.shown))


def test_a_wrong_password_says_so_and_ctrl_d_is_none(tmp_path: Path) -> None:
    write_keystore(tmp_path / "owner.json")
    ask = ["wallet", "pause", "x", "--owner", "owner.json"]
    for typed, words in (("wrong\n", "the password is wrong"), (CTRL_D, "no password was given")):
        at = QuickTerminal(tmp_path, *ask).wait_for("Password: ").type(typed)
        assert at.end() == 1
        assert words in at.shown


@pytest.mark.parametrize("taken", ["file", "link", "folder"])
def test_what_is_in_the_way_is_noticed_before_the_password(tmp_path: Path, taken: str) -> None:
    path = tmp_path / "owner.json"
    if taken == "file":
        path.write_text("precious")
    elif taken == "link":
        path.symlink_to("nowhere")
    else:
        path.mkdir()
    at = QuickTerminal(tmp_path, "key", "new", "owner.json")
    assert at.end() == 1
    assert "Password" not in at.shown
    assert "never overwritten. To do: choose another name" in " ".join(lines(at.shown))
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_is_not_there_is_noticed_before_the_password(tmp_path: Path) -> None:
    at = QuickTerminal(tmp_path, "key", "new", "no/owner.json")
    assert at.end() == 1
    assert "Password" not in at.shown
    assert "there is no folder no" in at.shown


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"password", "password"),
        (b"password\n", "password"),
        (b"password\r\n", "password"),
        (b"\xef\xbb\xbfpassword\r\nmore", "password"),
        (b" with spaces \n", " with spaces "),
        ("paßwört\x85still\x0cthe same line\n".encode(), "paßwört\x85still\x0cthe same line"),
    ],
)
def test_the_first_line_of_a_file_is_the_password(
    shell: Shell, content: bytes, password: str
) -> None:
    (shell.folder / "pw").write_bytes(content)
    (shell.folder / "pw").chmod(0o600)
    done = shell.run("key", "new", "owner.json", "--password-file", "pw")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert keystore.load(shell.folder / "owner.json", password)


def test_a_file_that_others_can_read_is_warned_of(shell: Shell) -> None:
    (shell.folder / "pw").write_text("password")
    (shell.folder / "pw").chmod(0o644)
    done = shell.run("key", "new", "owner.json", "--password-file", "pw")
    assert done.returncode == 0
    assert "warning: others on this machine can read pw: chmod 600 pw" in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: write the password into its first line"),
        (b"\n", "an empty password protects nothing: the first line of pw is empty"),
        (b"\r\nsecond", "an empty password protects nothing"),
        (b"\xff\xfe", "is no UTF-8 text"),
        (b"x" * 5_000, "over 4096 bytes"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_file_without_a_password_is_refused(shell: Shell, content, words: str) -> None:
    if content is not None:
        (shell.folder / "pw").write_bytes(content)
    done = shell.run("key", "new", "owner.json", "--password-file", "pw")
    assert done.returncode == 1
    assert words in done.stderr
    assert not (shell.folder / "owner.json").exists()


def test_a_folder_as_password_file_is_refused(shell: Shell) -> None:
    done = shell.run("key", "new", "owner.json", "--password-file", ".")
    assert done.returncode == 1
    assert "cannot be read (Is a directory)" in done.stderr
