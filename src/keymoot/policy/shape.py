"""The small checks of a JSON document's shape, with one wording."""

import re

from keymoot.base.strict_json import Json
from keymoot.policy.errors import BadPolicy

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,47}")


def known_fields(json: dict[str, Json], known: set[str], path: str) -> None:
    """Refuse fields that nobody would read."""
    for field in json:
        if field not in known:
            where = f"{path}.{field}" if path else field
            raise BadPolicy(f"unknown field; known are {', '.join(sorted(known))}", where)


def required(json: dict[str, Json], field: str, path: str) -> Json:
    if field not in json:
        raise BadPolicy("this field is missing", f"{path}.{field}" if path else field)
    return json[field]


def name_of(json: Json, path: str) -> str:
    if not isinstance(json, str) or _NAME.fullmatch(json) is None:
        raise BadPolicy("a name is 1 to 48 letters, digits, dots, dashes or underscores", path)
    return json


def objects(json: Json, path: str, limit: int) -> list[dict[str, Json]]:
    if not isinstance(json, list) or len(json) > limit:
        raise BadPolicy(f"a list of at most {limit} objects is expected", path)
    entries = []
    for at, entry in enumerate(json):
        if not isinstance(entry, dict):
            raise BadPolicy("an object is expected", f"{path}[{at}]")
        entries.append(entry)
    return entries
