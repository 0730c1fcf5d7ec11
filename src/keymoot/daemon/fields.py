"""Fields of a JSON body, read strictly; the path names what is wrong."""

from collections.abc import Mapping
from typing import Any

from keymoot.base.digits import decimal
from keymoot.base.errors import Malformed
from keymoot.base.strict_json import Json, parse
from keymoot.daemon.errors import BadArgument
from keymoot.daemon.http_request import MAX_BODY_BYTES, HttpRequest

_HEX = frozenset("0123456789abcdefABCDEF")


def body_of(request: HttpRequest) -> Json:
    """Give the document that a request carries.

    Raises:
        BadArgument: not JSON, or none that is read here.
    """
    try:
        return parse(request.body, MAX_BODY_BYTES)
    except Malformed as error:
        raise BadArgument(str(error), "body") from None


def object_of(request: HttpRequest, *, empty: bool = False) -> dict[str, Json]:
    """Give the object that a request carries; where it may be empty, nothing is one."""
    if empty and not request.body:
        return {}
    body = body_of(request)
    if not isinstance(body, dict):
        raise BadArgument("the body is a JSON object", "body")
    return body


def text(fields: Mapping[str, Json], name: str, most: int, default: str | None = None) -> str:
    """Give a text of at most so many bytes of UTF-8."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise BadArgument("a text is expected", name)
    if len(value.encode("utf-8", "surrogatepass")) > most:
        raise BadArgument(f"a text of at most {most} bytes is expected", name)
    return value


def flag(fields: Mapping[str, Json], name: str, *, default: bool) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise BadArgument("true or false is expected", name)
    return value


def raw(
    fields: Mapping[str, Any], name: str, most: int, *, prefix: bool, default: str | None = None
) -> bytes:
    """Give bytes from hex digits, behind "0x" where `prefix` lets it stand."""
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise BadArgument("hex digits are expected", name)
    digits = value
    if prefix and value.startswith("0x"):
        digits = value[2:]
        if not digits:
            raise BadArgument("behind 0x there are hex digits; nothing is the empty text", name)
    if len(digits) % 2 or not _HEX.issuperset(digits):
        raise BadArgument("an even number of hex digits is expected", name)
    if len(digits) > 2 * most:
        raise BadArgument(f"at most {most} bytes are expected, got {len(digits) // 2}", name)
    return bytes.fromhex(digits)


def number(fields: Mapping[str, Any], name: str, bits: int, default: int | None = None) -> int:
    """Give a whole number: JSON's own, decimal digits, or hex behind "0x"."""
    value = fields.get(name, default)
    whole: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        whole = value
    elif isinstance(value, str) and len(value) <= 80:
        whole = _hex_number(value) if value.startswith("0x") else decimal(value)
    if whole is None or not 0 <= whole < 1 << bits:
        raise BadArgument(f"a whole number below 2^{bits} is expected", name)
    return whole


def _hex_number(value: str) -> int | None:
    digits = value[2:]
    return int(digits, 16) if digits and _HEX.issuperset(digits) else None


def texts(value: Json, name: str, most_items: int, most_bytes: int) -> list[str]:
    """Give a list of texts."""
    if not isinstance(value, list) or len(value) > most_items:
        raise BadArgument(f"a list of at most {most_items} texts is expected", name)
    return [text({name: entry}, name, most_bytes) for entry in value]
