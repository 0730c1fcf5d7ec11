"""Write the software bill of materials: what Keymoot is made of, by its lock files.

    python -m tools.sbom [FILE]

CycloneDX 1.6 in JSON, to requirements/sbom.cdx.json: a component for each pin of
requirements/*.lock and of package-lock.json, with the hashes that an installer demands. The
same lock files give the same bytes: no time is in it, and the serial number is a hash of the
rest. No address is in it either: a package's URL names its ecosystem, name and version.
"""

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "requirements" / "sbom.cdx.json"

LOCKS = ("client", "node", "dev", "fuzz")
"""Python's lock files. The first two are what somebody installs who uses or runs Keymoot."""
INSTALLED = ("client", "node")

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?$")
_HASH = re.compile(r"^--hash=sha256:(?P<digest>[0-9a-f]{64})$")
_ALGORITHMS = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of one lock file.

    Attributes:
        ecosystem: pypi or npm.
        name: As its ecosystem writes it.
        version: Exactly.
        hashes: Algorithm and hex digest, of each file that an installer may take.
        lock: The file that pins it.
        scope: Whether it is there when Keymoot runs: required, optional (the demo's), excluded.
        marker: On which machines it is installed; empty for all.
    """

    ecosystem: str
    name: str
    version: str
    hashes: tuple[tuple[str, str], ...]
    lock: str
    scope: str
    marker: str = ""

    @property
    def url(self) -> str:
        """Give the package URL: no address, a name."""
        name = "/".join(quote(part, safe="") for part in self.name.split("/"))
        return f"pkg:{self.ecosystem}/{name}@{quote(self.version, safe='')}"


class BadLock(Exception):
    """A lock file has a line that is no pin with hashes."""


def read_python(text: str, lock: str) -> Iterator[Pin]:
    """Read a lock of Python packages.

    Raises:
        BadLock: a line is neither a pin nor a hash, or a pin has no hash.
    """
    joined = text.replace("\\\n", " ")
    for number, line in enumerate(joined.splitlines(), 1):
        pinned, *hashed = re.split(r"\s+(?=--hash=)", line.strip())
        pin = _PIN.match(pinned)
        digests = [_HASH.match(one.strip()) for one in hashed]
        if pin is None or not digests or None in digests:
            raise BadLock(f"{lock}, package {number}: a pin and its hashes are due, got {pinned!r}")
        scope = "required" if lock in INSTALLED else "excluded"
        hashes = tuple(("SHA-256", one["digest"]) for one in digests if one)
        name, version, marker = pin["name"], pin["version"], pin["marker"] or ""
        yield Pin("pypi", name, version, hashes, f"requirements/{lock}.lock", scope, marker)


def read_node(text: str) -> Iterator[Pin]:
    """Read package-lock.json.

    Raises:
        BadLock: a package without a hash.
    """
    for path, told in json.loads(text)["packages"].items():
        if not path:
            continue
        name = path.rsplit("node_modules/", 1)[1]
        if "integrity" not in told:
            raise BadLock(f"package-lock.json: {name} has no hash")
        hashes = tuple(_from_integrity(one) for one in told["integrity"].split())
        scope = "excluded" if told.get("dev") else "optional"
        yield Pin("npm", name, told["version"], hashes, "package-lock.json", scope)


def _from_integrity(text: str) -> tuple[str, str]:
    algorithm, _, encoded = text.partition("-")
    return _ALGORITHMS[algorithm], base64.b64decode(encoded).hex()


def pins(root: Path = ROOT) -> list[Pin]:
    """Give every package once for each version, in order of package URL.

    One that several locks pin is required if it is so in one of them.
    """
    found: dict[str, list[Pin]] = {}
    for lock in LOCKS:
        for pin in read_python((root / f"requirements/{lock}.lock").read_text(), lock):
            found.setdefault(pin.url, []).append(pin)
    for pin in read_node((root / "package-lock.json").read_text()):
        found.setdefault(pin.url, []).append(pin)
    return [_merged(found[url]) for url in sorted(found)]


def _merged(same: list[Pin]) -> Pin:
    scopes = [one.scope for one in same]
    scope = next(one for one in ("required", "optional", "excluded") if one in scopes)
    hashes = tuple(sorted({digest for one in same for digest in one.hashes}))
    locks = " ".join(dict.fromkeys(one.lock for one in same))
    marker = "" if any(not one.marker for one in same) else same[0].marker
    first = same[0]
    return Pin(first.ecosystem, first.name, first.version, hashes, locks, scope, marker)


def _component(pin: Pin) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "library", "bom-ref": pin.url}
    group, _, name = pin.name.rpartition("/")
    if group:
        told["group"] = group
    told |= {
        "name": name,
        "version": pin.version,
        "scope": pin.scope,
        "hashes": [{"alg": algorithm, "content": digest} for algorithm, digest in pin.hashes],
        "purl": pin.url,
        "properties": [{"name": "keymoot:lock", "value": one} for one in pin.lock.split()],
    }
    if pin.marker:
        told["properties"].append({"name": "keymoot:marker", "value": pin.marker})
    return told


def _direct(project: dict[str, Any], package: dict[str, Any], known: list[Pin]) -> list[str]:
    """Give the packages that we ask for ourselves; what these ask for is not told."""
    asked = [*project["project"]["dependencies"]]
    for some in project["project"]["optional-dependencies"].values():
        asked += some
    for some in project["dependency-groups"].values():
        asked += some
    plain = {("pypi", re.split(r"[<>=!~; \[]", one, maxsplit=1)[0].lower()) for one in asked}
    for some in ("dependencies", "devDependencies", "optionalDependencies"):
        plain |= {("npm", one) for one in package.get(some, {})}
    return [one.url for one in known if (one.ecosystem, one.name.lower()) in plain]


def bill(root: Path = ROOT) -> dict[str, Any]:
    """Give the whole bill."""
    known = pins(root)
    project = tomllib.loads((root / "pyproject.toml").read_text())
    package = json.loads((root / "package.json").read_text())
    about = project["project"]
    ours = f"pkg:pypi/{about['name']}@{about['version']}"
    told: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": about["name"],
                "version": about["version"],
                "description": about["description"],
                "licenses": [{"license": {"id": about["license"]}}],
                "purl": ours,
            }
        },
        "components": [_component(one) for one in known],
        "dependencies": [{"ref": ours, "dependsOn": _direct(project, package, known)}],
        "compositions": [{"aggregate": "incomplete", "dependencies": [ours]}],
    }
    text = json.dumps(told, sort_keys=True)
    return {**told, "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, text)}"}


def text_of(root: Path = ROOT) -> str:
    """Give the file's content."""
    return json.dumps(bill(root), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.write_text(text_of())
    print(f"{len(pins())} packages: {target}")
