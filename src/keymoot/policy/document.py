"""The policy document: parsed once, strictly, into values that decide.

Whatever the document does not say is refused; a field that we do not know is an
error, so a typing mistake never loosens a rule.
"""

from dataclasses import dataclass
from functools import cached_property

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Fixed, Hash32
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.units import UnixSeconds
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.chain import Chain, ChainName
from keymoot.policy.chains.registry import chain_in, parse_chain
from keymoot.policy.condition import MAX_SET_MEMBERS, Sets, parse_amount
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import METERS, Limit
from keymoot.policy.moment import parse_length, parse_moment
from keymoot.policy.rule import Rule
from keymoot.policy.shape import known_fields, name_of, objects, required

MAX_DOCUMENT_BYTES = 65_536
MAX_RULES = 64
MAX_LIMITS = 32
MAX_WINDOWS = 8
"""Limits with a window: what was spent of them is read and written for every request."""

MAX_SETS = 64
MAX_PARTS = 320
"""Texts, numbers and truth values in rules and limits, and arguments of their functions."""

VERSION = "1"
"""The version of this format."""


@dataclass(frozen=True)
class Policy:
    """One policy, ready to decide.

    Attributes:
        chain: The only network whose transactions it may sign. Where a transaction does not
            name its own, as on Solana, only its owner's intent.
        rules: In the document's order.
        limits: By name, in the document's order.
        expires: The last second at which it allows anything; None for never.
        source: The document's canonical JSON.
    """

    chain: ChainName
    rules: tuple[Rule, ...]
    limits: dict[str, Limit]
    expires: UnixSeconds | None
    source: bytes

    @cached_property
    def hash(self) -> Hash32:
        return keccak256(self.source)


def parse_policy(text: bytes | str, *, known: bool = False) -> Policy:
    """Read a document.

    Args:
        text: The document, at most `MAX_DOCUMENT_BYTES`.
        known: Whether it is the canonical JSON of one that was read before: its size, and the
            checksums of addresses in its sets, are then not looked at again.

    Raises:
        BadPolicy: not JSON, or not a policy; the message starts with the JSON path.
    """
    try:
        document = parse(text, MAX_DOCUMENT_BYTES)
    except Malformed as error:
        raise BadPolicy(error.reason) from error
    if not isinstance(document, dict):
        raise BadPolicy("a policy is a JSON object")
    known_fields(document, {"version", "chain", "sets", "rules", "limits", "expires"}, "")
    if required(document, "version", "") != VERSION:
        raise BadPolicy(f'this program reads version "{VERSION}"', "version")
    name = parse_chain(required(document, "chain", ""))
    chain = chain_in(name.namespace)
    if not known:
        _check_size(document)
    sets = _sets(document.get("sets", {}), chain, known=known)
    limits = _limits(document.get("limits", []))
    rules = _rules(required(document, "rules", ""), chain, sets, limits)
    expires = parse_moment(document["expires"], "expires") if "expires" in document else None
    source = text if known and isinstance(text, bytes) else canonical(document)
    return Policy(name, rules, limits, expires, source)


def _check_size(document: dict[str, Json]) -> None:
    """Refuse what takes long to read, before it is read: it is read for every request."""
    parts = sum(_parts(document.get(name)) for name in ("rules", "limits"))
    if parts > MAX_PARTS:
        raise BadPolicy(
            f"rules and limits have {parts} values and arguments of functions, at most {MAX_PARTS} "
            "are read: put addresses into sets, and leave out what no condition names",
            "rules",
        )


def _parts(json: Json) -> int:
    if isinstance(json, str):
        return 1 + json.count(",") + json.count("(")
    if isinstance(json, list):
        return sum(map(_parts, json))
    return sum(map(_parts, json.values())) if isinstance(json, dict) else 1


def _sets(json: Json, chain: Chain, *, known: bool) -> Sets:
    if not isinstance(json, dict) or len(json) > MAX_SETS:
        raise BadPolicy(f"sets is an object of at most {MAX_SETS} lists of addresses", "sets")
    form = chain.addresses
    left = form.most
    named: dict[str, frozenset[Fixed]] = {}
    for name, members in json.items():
        path = f"sets.{name}"
        name_of(name, path)
        if not isinstance(members, list) or not 0 < len(members) <= MAX_SET_MEMBERS:
            raise BadPolicy(f"a set lists 1 to {MAX_SET_MEMBERS} addresses", path)
        left -= len(members)
        if left < 0:
            text = f"all sets together list at most {form.most} addresses on {chain.namespace}"
            raise BadPolicy(text, "sets")
        if known and form.read_known is not None:
            addresses = form.read_known(members)
        else:
            addresses = [form.parse(member, f"{path}[{at}]") for at, member in enumerate(members)]
        named[name] = frozenset(addresses)
        if len(named[name]) != len(addresses):
            raise BadPolicy("an address stands twice in the set", path)
    return Sets(form, named)


def _limits(json: Json) -> dict[str, Limit]:
    limits: dict[str, Limit] = {}
    for at, entry in enumerate(objects(json, "limits", MAX_LIMITS)):
        path = f"limits[{at}]"
        limit = _limit(entry, path)
        if limit.name in limits:
            raise BadPolicy(f'two limits are called "{limit.name}"', f"{path}.id")
        limits[limit.name] = limit
    windows = sum(limit.window is not None for limit in limits.values())
    if windows > MAX_WINDOWS:
        raise BadPolicy(
            f"{windows} limits have a window, at most {MAX_WINDOWS} may: let rules share one, "
            'or make it "per": "tx"',
            "limits",
        )
    return limits


def _limit(json: dict[str, Json], path: str) -> Limit:
    known_fields(json, {"id", "max", "meter", "per", "window", "kind"}, path)
    meter = json.get("meter")
    if meter is not None and meter not in METERS:
        raise BadPolicy(f"a meter is one of {', '.join(METERS)}", f"{path}.meter")
    if "per" in json:
        if json["per"] != "tx" or "window" in json or "kind" in json:
            raise BadPolicy('a limit has "per": "tx", or a window and its kind', f"{path}.per")
        window = None
    else:
        window = parse_length(required(json, "window", path), f"{path}.window")
        if json.get("kind") != "rolling":
            raise BadPolicy('the kind of a window is "rolling"', f"{path}.kind")
    return Limit(
        name=name_of(required(json, "id", path), f"{path}.id"),
        max=parse_amount(required(json, "max", path), f"{path}.max"),
        meter=meter if isinstance(meter, str) else None,
        window=window,
    )


def _rules(json: Json, chain: Chain, sets: Sets, limits: dict[str, Limit]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    names: set[str] = set()
    for at, entry in enumerate(objects(json, "rules", MAX_RULES)):
        path = f"rules[{at}]"
        rule = _rule(entry, chain, sets, limits, path)
        if rule.name in names:
            raise BadPolicy(f'two rules are called "{rule.name}"', f"{path}.id")
        rules.append(rule)
        names.add(rule.name)
    chain.check_rules(rules)
    return tuple(rules)


def _rule(
    json: dict[str, Json], chain: Chain, sets: Sets, limits: dict[str, Limit], path: str
) -> Rule:
    method = required(json, "method", path)
    kind = chain.kinds.get(method) if isinstance(method, str) else None
    if kind is None:
        raise BadPolicy(
            f"on {chain.namespace} this version has rules for {' and '.join(chain.kinds)} only; "
            "all other methods are refused",
            f"{path}.method",
        )
    return kind.parse_rule(json, sets, limits, path)
