"""The bill of materials is what the lock files say, and CycloneDX."""

import json
import re

import jsonschema
import pytest

from tools.sbom import FILE, LOCKS, ROOT, BadLock, bill, pins, read_node, read_python, text_of

DIGEST = {"SHA-256": 64, "SHA-384": 96, "SHA-512": 128}

COMPONENT = {
    "type": "object",
    "required": ["type", "name"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["application", "library"]},
        "bom-ref": {"type": "string", "minLength": 1},
        "group": {"type": "string"},
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "string", "maxLength": 1024},
        "description": {"type": "string"},
        "scope": {"enum": ["required", "optional", "excluded"]},
        "hashes": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["alg", "content"],
                "additionalProperties": False,
                "properties": {
                    "alg": {"enum": list(DIGEST)},
                    "content": {"pattern": "^([0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$"},
                },
            },
        },
        "licenses": {"type": "array"},
        "purl": {"pattern": r"^pkg:(pypi|npm)/[^@?#]+@[^@?#]+$"},
        "properties": {
            "type": "array",
            "items": {"type": "object", "required": ["name", "value"]},
        },
    },
}
"""Of CycloneDX 1.6's components, the fields that we write; all of them have its rules."""

BILL = {
    "type": "object",
    "required": ["bomFormat", "specVersion"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "http://cyclonedx.org/schema/bom-1.6.schema.json"},
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.6"},
        "serialNumber": {"pattern": r"^urn:uuid:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"},
        "version": {"type": "integer", "minimum": 1},
        "metadata": {"type": "object", "properties": {"component": COMPONENT}},
        "components": {"type": "array", "uniqueItems": True, "items": COMPONENT},
        "dependencies": {
            "type": "array",
            "items": {"type": "object", "required": ["ref"]},
        },
        "compositions": {
            "type": "array",
            "items": {"type": "object", "required": ["aggregate"]},
        },
    },
}


def test_the_published_bill_is_what_the_lock_files_say() -> None:
    assert FILE.read_text() == text_of(), "run: make sbom"


def test_it_has_the_form_of_cyclonedx() -> None:
    made = json.loads(FILE.read_text())
    jsonschema.Draft202012Validator(BILL).validate(made)
    for component in made["components"]:
        for one in component["hashes"]:
            assert len(one["content"]) == DIGEST[one["alg"]]


def test_references_lead_to_components_that_there_are_once() -> None:
    made = bill()
    names = [one["bom-ref"] for one in [made["metadata"]["component"], *made["components"]]]
    assert len(set(names)) == len(names)
    for one in made["dependencies"]:
        assert one["ref"] in names
        assert set(one["dependsOn"]) <= set(names)
    assert len(made["dependencies"][0]["dependsOn"]) > 20


def test_every_line_of_every_lock_is_in_it() -> None:
    listed = {(one.ecosystem, one.name, one.version): one for one in pins()}
    for lock in LOCKS:
        text = (ROOT / f"requirements/{lock}.lock").read_text()
        for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE):
            assert f"requirements/{lock}.lock" in listed["pypi", name, version].lock
        digests = set(re.findall(r"sha256:([0-9a-f]{64})", text))
        assert digests <= {digest for one in listed.values() for _, digest in one.hashes}
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for path, told in packages.items():
        if path:
            assert ("npm", path.rsplit("node_modules/", 1)[1], told["version"]) in listed


def test_it_has_no_address_but_its_schemas() -> None:
    assert re.findall(r"\w+://[^\"]*", FILE.read_text()) == [
        "http://cyclonedx.org/schema/bom-1.6.schema.json"
    ]


def test_what_runs_is_required_and_what_only_tests_use_is_not() -> None:
    scopes = {one.name: one.scope for one in pins()}
    for name in ("coincurve", "pyblst", "starlette", "anyio", "lmdb"):
        assert scopes[name] == "required", name
    for name in ("pytest", "py-arkworks-bls12381", "atheris", "viem"):
        assert scopes[name] == "excluded", name
    assert scopes["solc"] == "optional"


def test_the_locks_agree_on_versions() -> None:
    versions: dict[str, set[str]] = {}
    for one in pins():
        if one.ecosystem == "pypi":
            versions.setdefault(one.name, set()).add(one.version)
    assert {name: some for name, some in versions.items() if len(some) > 1} == {}


@pytest.mark.parametrize(
    "text",
    [
        "one==1.0",
        "one>=1.0 \\\n    --hash=sha256:" + "0" * 64,
        "one==1.0 \\\n    --hash=md5:" + "0" * 32,
        "one @ file:///one \\\n    --hash=sha256:" + "0" * 64,
        "# of somebody\none==1.0 \\\n    --hash=sha256:" + "0" * 64,
    ],
)
def test_a_line_that_is_no_pin_with_hashes_is_refused(text: str) -> None:
    with pytest.raises(BadLock):
        list(read_python(text, "client"))


def test_a_package_of_node_without_a_hash_is_refused() -> None:
    lock = {"packages": {"": {}, "node_modules/@some/one": {"version": "1.0.0"}}}
    with pytest.raises(BadLock):
        list(read_node(json.dumps(lock)))


def test_names_with_a_scope_are_written_as_package_urls_are() -> None:
    told = {"version": "1.0.0", "integrity": "sha512-" + "A" * 86 + "=="}
    (pin,) = read_node(json.dumps({"packages": {"node_modules/@some/one": told}}))
    assert pin.url == "pkg:npm/%40some/one@1.0.0"
    assert pin.hashes == (("SHA-512", "0" * 128),)
