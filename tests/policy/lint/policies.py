"""Short ways to write policies that are tried on the lint."""

from typing import Any

from keymoot.base.fixed import Address
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.warnings import warnings_of
from keymoot.policy.names import checksummed
from tests.policy.documents import SIGN, parsed

Json = dict[str, Any]

MINE = {"eq": "$wallet"}
POOL = checksummed(Address(b"\x11" * 20))
TOKEN = checksummed(Address(b"\x22" * 20))
FRIEND = checksummed(Address(b"\x33" * 20))
OTHER = checksummed(Address(b"\x44" * 20))
ZERO = "0x" + "00" * 20

DAY = {"id": "day", "max": "1000000", "window": "24h", "kind": "rolling"}
GAS = {
    "id": "gas",
    "meter": "maxFee",
    "max": "10000000000000000",
    "window": "24h",
    "kind": "rolling",
}


def allow(to: Any, function: Any = None, args: Any = None, **more: Any) -> Json:
    """Write an ALLOW; `to` is an address, or what stands in the document."""
    found = {
        "action": "ALLOW",
        "method": SIGN,
        "to": {"eq": to} if str(to).startswith("0x") else to,
    }
    if function is not None:
        found |= {"function": function, "args": args or {}}
    return found | more


def policy(*rules: Json, limits: Any = (DAY, GAS), **changes: Any) -> Json:
    """Write a document; rules without a name are called r0, r1, …, and unfed limits left out."""
    named = [{"id": f"r{at}"} | rule for at, rule in enumerate(rules)]
    fed = {name for rule in named for name in rule.get("spend", {})}
    kept = [one for one in limits if "meter" in one or one["id"] in fed]
    document = {"version": "1", "chain": "eip155:8453", "rules": named, "limits": kept}
    return document | {"expires": "2027-01-01T00:00:00Z"} | changes


def findings(document: Json) -> list[Finding]:
    return warnings_of(parsed(document))


def codes(document: Json) -> list[str]:
    return [one.code for one in findings(document)]
