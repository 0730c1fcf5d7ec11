"""A folder becomes a bundle, or says why not, with the file's name."""

import os
from pathlib import Path

import pytest

from keymoot.base.errors import KeymootError, Malformed
from keymoot.image import source
from keymoot.image.errors import NoBundle
from keymoot.image.source import build
from tests.image.folders import FILES, PINNED, app_folder


def test_what_is_included(tmp_path: Path) -> None:
    bundle = build(app_folder(tmp_path))
    assert sorted(bundle.files) == sorted(FILES.keys() - {"keymoot.toml"})
    assert bundle.described.secrets == ("OPENAI_API_KEY",)
    assert (bundle.described.resources.memory_mib, bundle.described.resources.cpus) == (256, 2)


def included(folder: Path, *patterns: str) -> list[str]:
    text = FILES["keymoot.toml"].replace('requirements = "requirements.txt"', "")
    listed = ", ".join(f'"{pattern}"' for pattern in patterns)
    text = text.replace('["agent.py", "yields/**", "requirements.txt"]', f"[{listed}]")
    (folder / "keymoot.toml").write_text(text)
    return list(build(folder).files)


def test_patterns(tmp_path: Path) -> None:
    folder = app_folder(tmp_path)
    assert included(folder, "*.py") == ["agent.py"]
    assert included(folder, "**/*.py") == ["agent.py", "yields/best.py", "yields/deep/er.py"]
    assert included(folder, "yields/*") == ["yields/best.py"]
    assert included(folder, "yields/**/er.py") == ["yields/deep/er.py"]
    assert included(folder, "**") == sorted(FILES.keys() - {"keymoot.toml"})
    with pytest.raises(NoBundle, match=r"includes nowhere\.py, and there is no such file"):
        included(folder, "agent.py", "nowhere.py")
    for bad in ("../*", "/etc/passwd", "a/./b", "a**/b", "a\\\\b", "", "yields/"):
        with pytest.raises(Malformed, match=r"keymoot\.toml\.include\[0\]"):
            included(folder, bad)


@pytest.mark.parametrize("kind", ["link", "broken", "folder", "pipe"])
def test_only_files_are_included(tmp_path: Path, kind: str) -> None:
    folder = app_folder(tmp_path / "app")
    odd = folder / "yields/odd.py"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        (tmp_path / "secret").mkdir()
        target = {"link": "/etc/passwd", "broken": "nowhere", "folder": tmp_path / "secret"}[kind]
        odd.symlink_to(target)
    with pytest.raises(NoBundle, match=r"yields/odd\.py"):
        build(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "A=1"),
        (".env.production", "A=1"),
        ("agent.cred", "{}"),
        ("tls.pem", "-"),
        ("id_ed25519", "-"),
        ("notes.txt", "-----BEGIN PRIVATE KEY-----\n"),
        ("notes.txt", "# AGE-SECRET-KEY-1QQQ"),
        ("owner.json", '{"version": 3, "crypto": {"ciphertext": "00"}}'),
        ("any.json", ' {"network": "0x", "wallet": "0x", "key": "0x"}'),
    ],
)
def test_a_bundle_tells_no_secrets(tmp_path: Path, name: str, content: str) -> None:
    folder = app_folder(tmp_path)
    (folder / "yields" / name).write_text(content)
    with pytest.raises(NoBundle, match=f"yields/{name} looks like a secret"):
        build(folder)


def test_what_only_resembles_a_secret_is_included(tmp_path: Path) -> None:
    folder = app_folder(tmp_path)
    for name, content in [("a.json", '{"key": 1}'), ("b.json", "{"), ("c.json", "[" * 5_000)]:
        (folder / "yields" / name).write_text(content)
    assert "yields/a.json" in build(folder).files


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(NoBundle, match="`keymoot app init` write one"):
        build(tmp_path)
    with pytest.raises(NoBundle):
        build(tmp_path / "nowhere")


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_manifest_is_an_ordinary_file(tmp_path: Path, kind: str) -> None:
    folder = app_folder(tmp_path / "app")
    manifest = folder / "keymoot.toml"
    text = manifest.rename(tmp_path / "elsewhere.toml")
    os.mkfifo(manifest) if kind == "pipe" else manifest.symlink_to(text)
    with pytest.raises(NoBundle, match=r"keymoot\.toml"):
        build(folder)


def test_a_folder_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_ENTRIES", 4)
    with pytest.raises(NoBundle, match="over 4 files"):
        build(app_folder(tmp_path))


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BUNDLE_BYTES", 14)
    with pytest.raises(NoBundle, match=r"agent\.py has over 14 bytes"):
        build(app_folder(tmp_path))


def test_a_folder_that_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def forbidden(path: Path) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(NoBundle, match="yields/deep cannot be read"):
        build(app_folder(tmp_path))


def test_requirements_are_pinned(tmp_path: Path) -> None:
    folder = app_folder(tmp_path)
    (folder / "requirements.txt").write_text(PINNED + "evil\n")
    with pytest.raises(KeymootError, match=r"requirements\.txt:4"):
        build(folder)
