"""The manifest is read strictly: what it says in error, it says by its field."""

import pytest

from keymoot.base.errors import Malformed
from keymoot.image.manifest import MAX_MANIFEST_BYTES, parse_manifest
from keymoot.image.starter import FILES as STARTER
from keymoot.image.starter import starter_files
from tests.image.folders import MANIFEST


def test_the_least_that_a_manifest_says() -> None:
    manifest = parse_manifest(
        b'name = "a"\nversion = "1"\ncommand = ["python3"]\ninclude = ["a.py"]\n'
    )
    assert manifest.described.to_json() == {
        "name": "a",
        "version": "1",
        "command": ["python3"],
        "requirements": "",
        "secrets": [],
        "resources": {"memory_mib": 512, "cpus": 1},
    }
    assert manifest.description == ""
    assert [pattern.text for pattern in manifest.include] == ["a.py"]


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ('name = "yield"', "", "name"),
        ('"yield"', '"Yield"', "name"),
        ('"yield"', '"' + "y" * 64 + '"', "name"),
        ('"yield"', "7", "name"),
        ("1.2.3", "1.2.3.4", "version"),
        ("1.2.3", "1.٢.3", "version"),
        ('["python3", "agent.py"]', "[]", "command"),
        ('["python3", "agent.py"]', '[""]', "command"),
        ('["python3", "agent.py"]', '"python3 agent.py"', "command"),
        ('["python3", "agent.py"]', '["python3", "a\\u0000"]', "command[1]"),
        ('["python3", "agent.py"]', '["python3", 7]', "command[1]"),
        ('["python3", "agent.py"]', str(["a"] * 65), "command"),
        ('"requirements.txt"\nsecrets', '"../requirements.txt"\nsecrets', "requirements"),
        ('["OPENAI_API_KEY"]', '["openai"]', "secrets[0]"),
        ('["OPENAI_API_KEY"]', '["A", "A"]', "secrets[1]"),
        ('["OPENAI_API_KEY"]', '["KEYMOOT_SOCKET"]', "secrets[0]"),
        ("256", "15", "resources.memory_mib"),
        ("256", "true", "resources.memory_mib"),
        ("256", "256.0", "resources.memory_mib"),
        ("cpus = 2", "cpu = 2", "resources.cpu"),
        ("cpus = 2", "cpus = 0", "resources.cpus"),
        ('version = "1.2.3"', 'version = "1.2.3"\nverison = "1"', "verison"),
        ('description = "Moves', f'description = "{"x" * 1_100}Moves', "description"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, at: str) -> None:
    assert old in MANIFEST
    with pytest.raises(Malformed) as refused:
        parse_manifest(MANIFEST.replace(old, new, 1).encode())
    assert refused.value.path == at


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff",
        b"name",
        b"a = 1\na = 2",
        b"a = [" * 3_000,
        b"#" * (MAX_MANIFEST_BYTES + 1),
        b"name.a = 1",
        MANIFEST.replace("cpus = 2", "cpus = 0x" + "f" * 5_000).encode(),
        MANIFEST.replace('name = "yield"', f"name.{'a.' * 20_000}a = 1").encode(),
        MANIFEST.replace("[resources]", f"[resources.cpus.{'a.' * 20_000}a]").encode(),
        MANIFEST.replace('version = "1.2.3"', f"version = {'[' * 300}{']' * 300}").encode(),
    ],
    ids=lambda raw: raw[:12].hex() + str(len(raw)),
)
def test_what_is_no_manifest(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_manifest(raw)


def test_what_init_writes_is_read() -> None:
    files = starter_files("my-agent")
    assert parse_manifest(files["keymoot.toml"]).described.name == "my-agent"
    compile(files["agent.py"], "agent.py", "exec")
    assert files.keys() == STARTER.keys()
