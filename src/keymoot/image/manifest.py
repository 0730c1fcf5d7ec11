"""An app's manifest, `keymoot.toml`: what its author writes, in the spirit of ROFL's `rofl.yaml`.

    name = "yield"
    version = "0.1.0"
    command = ["python", "agent.py"]
    requirements = "requirements.txt"
    secrets = ["OPENAI_API_KEY"]
    include = ["agent.py", "yields/**"]
    description = "Moves idle USDC to the vault that pays most."

    [resources]
    memory_mib = 512
    cpus = 1

`name`, `version`, `command` and `include` are required. An unknown field is refused: a misspelt
rule is none.
"""

import re
import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NoReturn

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown
from keymoot.base.strict_json import Json
from keymoot.image.paths import PathPattern, check_path
from keymoot.image.variables import variable

FILE = "keymoot.toml"
MAX_MANIFEST_BYTES = 65_536
MAX_ARGUMENTS = 64
MAX_SECRETS = 64
MAX_INCLUDES = 256
MAX_CHARACTERS = 1_024
"""Longest description, argument or pattern."""

MIN_MEMORY_MIB, MAX_MEMORY_MIB = 16, 1 << 20
MAX_CPUS = 256

MAX_NAME_PARTS = 8
"""Parts of a dotted name; Python's parser takes their square, in time and in memory."""

_TEXT = re.compile(
    r'''"""(?:\\.|[^\\])*?(?:"""|\\?\Z)'''
    r"|'{3}.*?(?:'{3}|\Z)"
    r"""|"(?:\\.|[^"\\\n])*"?"""
    r"|'[^'\n]*'?"
    r"|\#[^\n]*",
    re.DOTALL,
)
"""TOML's four kinds of strings, and its comments; one that does not end is looked at once."""

_LONG_NAME = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{MAX_NAME_PARTS}}}")

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}([-+][0-9A-Za-z.-]{1,32})?", re.ASCII)
_MEASURED = frozenset({"name", "version", "command", "requirements", "secrets", "resources"})
_REQUIRED = frozenset({"name", "version", "command"})


@dataclass(frozen=True, slots=True)
class Resources:
    """What an instance needs of its machine: memory in MiB, and processors."""

    memory_mib: int = 512
    cpus: int = 1


@dataclass(frozen=True, slots=True)
class Described:
    """What a manifest says that is measured.

    Attributes:
        name: Lower-case letters, digits and hyphens, at most 63.
        version: As `1.2.3`, for people.
        command: What is started in the unpacked bundle; its first part is looked up on the path.
        requirements: The file of the bundle that pins what has to be installed, by hash.
        secrets: Names of the variables that the network hands to live instances only.
        resources: What an instance needs.
    """

    name: str
    version: str
    command: tuple[str, ...]
    requirements: str | None = None
    secrets: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "version": self.version,
            "command": list(self.command),
            "requirements": self.requirements or "",
            "secrets": list(self.secrets),
            "resources": {"memory_mib": self.resources.memory_mib, "cpus": self.resources.cpus},
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an author says of an app.

    Attributes:
        described: What of it is measured.
        include: Which files of the folder are in the bundle; what none names is not.
        description: For people.
    """

    described: Described
    include: tuple[PathPattern, ...]
    description: str = ""


def parse_manifest(raw: bytes) -> Manifest:
    """Read a manifest; Malformed names the field."""
    if len(raw) > MAX_MANIFEST_BYTES:
        raise Malformed(f"a manifest has at most {MAX_MANIFEST_BYTES} bytes, got {len(raw)}")
    try:
        text = raw.decode()
        # A part of a name may be a string. Where quotes do not fit, the parser stops there too.
        if _LONG_NAME.search(_TEXT.sub("_", text)):
            raise Malformed(f"names in a manifest have at most {MAX_NAME_PARTS} parts")
        fields = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise Malformed("a manifest is UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not TOML: {shown(str(error))}") from error
    _check_names(fields, _REQUIRED | {"include"}, _MEASURED | {"include", "description"})
    includes = _texts(fields.pop("include"), "include", MAX_INCLUDES)
    description = _text(fields.pop("description", ""), "description")
    patterns = (PathPattern.parse(text, f"include[{at}]") for at, text in enumerate(includes))
    return Manifest(read_described(fields), tuple(patterns), description)


def read_described(fields: Mapping[str, Any]) -> Described:
    """Read what is measured of an app, from TOML or JSON; Malformed names the field."""
    _check_names(fields, _REQUIRED, _MEASURED)
    return Described(
        _matched(fields["name"], _NAME, "name", "lower-case letters, digits and hyphens"),
        _matched(fields["version"], _VERSION, "version", "1.2.3"),
        _command(fields["command"]),
        _path(fields.get("requirements", ""), "requirements"),
        _secrets(fields.get("secrets", [])),
        _resources(fields.get("resources", {})),
    )


def _check_names(
    fields: Mapping[str, Any], required: AbstractSet[str], known: AbstractSet[str]
) -> None:
    for name in sorted(required - fields.keys()):
        raise Malformed(f"missing: {', '.join(sorted(required))} have to be there", name)
    for name in sorted(fields.keys() - known):
        raise Malformed(f"unknown: a manifest has {', '.join(sorted(known))}", name)


def _text(value: Any, at: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise Malformed(f"a text of at most {MAX_CHARACTERS} characters", at)
    return value


def _texts(value: Any, at: str, most: int) -> list[str]:
    if not isinstance(value, list) or len(value) > most:
        raise Malformed(f"a list of at most {most} texts", at)
    return [_text(part, f"{at}[{index}]") for index, part in enumerate(value)]


def _matched(value: Any, form: re.Pattern[str], at: str, words: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        _refuse(value, words, at)
    return value


def _path(value: Any, at: str) -> str | None:
    path = _text(value, at)
    if path:
        check_path(path, at)
    return path or None


def _command(value: Any) -> tuple[str, ...]:
    command = tuple(_texts(value, "command", MAX_ARGUMENTS))
    if not command or not command[0]:
        raise Malformed('what is started, as ["python", "agent.py"]', "command")
    for index, part in enumerate(command):
        if "\0" in part:
            raise Malformed("no argument holds a zero byte", f"command[{index}]")
    return command


def _secrets(value: Any) -> tuple[str, ...]:
    names = tuple(_texts(value, "secrets", MAX_SECRETS))
    for index, name in enumerate(names):
        at = f"secrets[{index}]"
        if variable(name) != name:
            raise Malformed(
                f"the daemon sets no variable of this name ({shown(name)}), for it is none, or one "
                "that decides what runs: choose another name, such as OPENAI_API_KEY",
                at,
            )
        if name in names[:index]:
            raise Malformed(f"{name} stands there twice", at)
    return names


def _resources(value: Any) -> Resources:
    if not isinstance(value, dict):
        raise Malformed("a table: write it as [resources]", "resources")
    try:
        _check_names(value, frozenset(), {"memory_mib", "cpus"})
    except Malformed as error:
        error.within("resources")
        raise
    least = Resources()
    return Resources(
        _whole(value, "memory_mib", least.memory_mib, MIN_MEMORY_MIB, MAX_MEMORY_MIB),
        _whole(value, "cpus", least.cpus, 1, MAX_CPUS),
    )


def _whole(fields: Mapping[str, Any], name: str, otherwise: int, least: int, most: int) -> int:
    value = fields.get(name, otherwise)
    if type(value) is not int or not least <= value <= most:
        _refuse(value, f"a whole number from {least} to {most}", f"resources.{name}")
    return value


def _refuse(value: Any, words: str, at: str) -> NoReturn:
    raise Malformed(f"write {words}, got {_told(value)}", at)


def _told(value: Any) -> str:
    """Say what stands there; of tables and long numbers only what kind of thing it is."""
    if isinstance(value, str):
        return shown(value, 64)
    if type(value) is int and value.bit_length() > 64:
        return "a number that is too large"
    return f"{value}" if isinstance(value, bool | int | float) else f"a {type(value).__name__}"
