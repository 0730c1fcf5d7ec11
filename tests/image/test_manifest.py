"""The manifest is read strictly: what it says in error, it says by its field."""

import tomllib

import pytest

from keymoot.base.errors import Malformed
from keymoot.image.manifest import MAX_MANIFEST_BYTES, MAX_NAME_PARTS, parse_manifest
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


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a." * 8 + "a", 9),
        ("a . a\t.a." + "a." * 5 + "a", 9),
        ('a."".' * 4 + "a", 9),
        ("a.'a\"'." * 4 + '"\\""', 9),
        ('"a.a.a.a.a.a.a.a.a.a"', 1),
        ("'a.a.a.a.a.a.a.a.a.a'." + "a." * 6 + "a", 8),
    ],
)
@pytest.mark.parametrize(
    "before",
    ["", "# '\n", 'x = "\\""\n', "x = '''\n'\"'''\n", 'x = """\\""""\n', 'x = ""\n', "x = ''\n"],
)
def test_a_long_name_is_refused_before_it_is_parsed(
    before: str, name: str, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    loads = tomllib.loads
    monkeypatch.setattr(tomllib, "loads", lambda text: parsed.append(text) or loads(text))
    for text in (f"{before}{name} = 1\n", f"{before}[{name}]\n"):
        assert _parts(loads(text)) == parts
        with pytest.raises(Malformed):
            parse_manifest(text.encode())
        assert parsed == [text] * (parts <= MAX_NAME_PARTS)
        parsed.clear()


def _parts(fields: object) -> int:
    """Tell how many parts the last name of a document has."""
    if not isinstance(fields, dict) or not fields:
        return 0
    return 1 + _parts(list(fields.values())[-1])


def test_what_is_said_of_a_long_name() -> None:
    with pytest.raises(Malformed, match="at most 8 parts"):
        parse_manifest(MANIFEST.replace("cpus = 2", f"{'a.' * 20_000}a = 2").encode())


@pytest.mark.parametrize(
    "part",
    ['"""', "'''", '"', "\\", "a ", "a", " ", "a.\n", '"\\', '"""\\', "'a\n", 'a"\n'],
)
def test_what_never_ends_is_no_manifest(part: str) -> None:
    with pytest.raises(Malformed):
        parse_manifest((part * 60_001)[:60_001].encode())


def test_what_init_writes_is_read() -> None:
    files = starter_files("my-agent")
    assert parse_manifest(files["keymoot.toml"]).described.name == "my-agent"
    compile(files["agent.py"], "agent.py", "exec")
    assert files.keys() == STARTER.keys()
