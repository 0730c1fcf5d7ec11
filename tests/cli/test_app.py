"""`keymoot app`: from nothing to a bundle that somebody else builds too."""

from pathlib import Path

import pytest

from keymoot.image.bundle import Bundle
from tests.cli.shell import Shell
from tests.image.folders import app_folder


def test_from_nothing_to_a_bundle_that_somebody_else_builds_too(shell: Shell) -> None:
    done = shell.run("app", "init", "my-agent")
    assert done.returncode == 0, done.stderr
    assert "Next: keymoot app build my-agent" in done.stdout
    built = shell.json("app", "build", "my-agent")
    path = shell.folder / built["bundle"]
    assert path.name == "my-agent-0.1.0.bundle"
    assert built["files"] == 1
    assert Bundle.read(path.read_bytes()).measurement.hex0x == built["measurement"]
    # The same folder, once more: the same file, and the bundle is not in the bundle.
    before = path.read_bytes()
    assert shell.json("app", "build", "my-agent") == built
    assert path.read_bytes() == before
    told = shell.json("app", "verify", "my-agent", "--bundle", str(path))
    assert told["same"]
    assert told["measurement"] == told["there"] == built["measurement"]


def test_what_differs_is_told(shell: Shell) -> None:
    app_folder(shell.folder / "app")
    built = shell.json("app", "build", "app", "--out", "theirs.bundle")
    (shell.folder / "app/agent.py").write_text("print('hullo')\n")
    done = shell.run("app", "verify", "app", "--bundle", "theirs.bundle")
    assert done.returncode == 1
    assert "not the same" in done.stdout
    assert "agent.py: other content" in done.stdout
    told = shell.json("app", "verify", "app", "--bundle", "theirs.bundle", status=1)
    assert told["there"] == built["measurement"] != told["measurement"]
    assert told["differences"] == ["agent.py: other content: 15 bytes here, 15 there"]


def test_what_is_there_stays(shell: Shell) -> None:
    folder = shell.folder / "mine"
    folder.mkdir()
    (folder / "agent.py").write_text("mine")
    assert shell.run("app", "init", "mine").returncode == 0
    assert (folder / "agent.py").read_text() == "mine"
    manifest = (folder / "keymoot.toml").read_text()
    done = shell.run("app", "init", "mine", "--name", "other")
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (folder / "keymoot.toml").read_text() == manifest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("init", "x", "--name", "Bad Name"), "name: write lower-case letters"),
        (("build", "nowhere"), "`keymoot app init` write one"),
        (("build", "app", "--out", "app/x.zip"), "a bundle's name ends with .bundle"),
        (("build", "app", "--out", "no/x.bundle"), "No such file or directory"),
        (("verify", "app", "--bundle", "nowhere.bundle"), "nowhere.bundle cannot be read"),
        (("verify", "app", "--bundle", "app/agent.py"), "app/agent.py: not a ZIP archive"),
    ],
)
def test_mistakes(shell: Shell, arguments: tuple[str, ...], told: str) -> None:
    app_folder(shell.folder / "app")
    before = sorted(Path(shell.folder).rglob("*"))
    done = shell.run("app", *arguments)
    assert done.returncode == 1
    assert told in done.stderr
    assert sorted(Path(shell.folder).rglob("*")) == before


def test_nothing_that_lies_in_a_strangers_folder_decides_where_we_write(shell: Shell) -> None:
    folder, mine = app_folder(shell.folder / "app"), shell.folder / "mine"
    mine.write_text("mine")
    for name in ("yield-1.2.3.bundle", "yield-1.2.3.bundle.new"):
        (folder / name).symlink_to(mine)
    built = shell.json("app", "build", "app")
    assert Bundle.read((shell.folder / built["bundle"]).read_bytes())
    assert not (shell.folder / built["bundle"]).is_symlink()
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["\x1b]0;yours\x07.pem", "\x9b31m.pem", "\u202egnp.pem"])
def test_no_name_in_a_strangers_folder_steers_the_terminal(shell: Shell, name: str) -> None:
    folder = app_folder(shell.folder / "app")
    (folder / "yields" / name).write_text("-")
    done = shell.run("app", "build", "app")
    assert done.returncode == 1
    assert "looks like a secret" in done.stderr
    assert set(done.stderr).isdisjoint("\x1b\x9b\x07\u202e")
