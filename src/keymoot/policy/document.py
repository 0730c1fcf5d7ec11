"""The policy document: parsed once, strictly, into values that decide.

Whatever the document does not say is refused; a field that we do not know is an
error, so a typing mistake never loosens a rule.
"""

from dataclasses import dataclass
from functools import cached_property

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Hash32, SolanaAddress
from keymoot.base.request import (
    SIGN_MESSAGE,
    SIGN_SOLANA_MESSAGE,
    SIGN_SOLANA_TRANSACTION,
    SIGN_TRANSACTION,
)
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.units import UnixSeconds
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chain import EIP155, SOLANA, Chain, parse_chain
from keymoot.policy.condition import MAX_SET_MEMBERS, Sets, parse_amount
from keymoot.policy.errors import BadPolicy
from keymoot.policy.evm.rule import EvmRule, parse_evm_rule, suffixes_of
from keymoot.policy.evm.suffix import MAX_SUFFIXES
from keymoot.policy.limit import METERS, Limit
from keymoot.policy.moment import parse_length, parse_moment
from keymoot.policy.names import parse_address, parse_solana_address
from keymoot.policy.rule import Rule
from keymoot.policy.shape import known_fields, name_of, objects, required
from keymoot.policy.solana.rule import MAX_TOKEN_OWNERS, TransferRule, parse_transfer_rule
from keymoot.policy.text.rule import parse_text_rule

MAX_DOCUMENT_BYTES = 65_536
MAX_RULES = 64
MAX_LIMITS = 32
MAX_WINDOWS = 8
"""Limits with a window: what was spent of them is read and written for every request."""

MAX_SETS = 64
MAX_SOLANA_MEMBERS = 256
"""Addresses of Solana in all sets; base58 takes longer than hex."""

MAX_PARTS = 320
"""Texts, numbers and truth values in rules and limits, and arguments of their functions."""

VERSION = "1"
"""The version of this format."""


@dataclass(frozen=True)
class Policy:
    """One policy, ready to decide.

    Attributes:
        chain: The only chain whose transactions it may sign. Of Solana's clusters, only
            its owner's intent: a transaction does not name its own.
        rules: In the document's order.
        limits: By name, in the document's order.
        expires: The last second at which it allows anything; None for never.
        source: The document's canonical JSON.
    """

    chain: Chain
    rules: tuple[Rule, ...]
    limits: dict[str, Limit]
    expires: UnixSeconds | None
    source: bytes

    @cached_property
    def hash(self) -> Hash32:
        """Keccak-256 of the document's canonical JSON."""
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
    chain = parse_chain(required(document, "chain", ""))
    if not known:
        _check_size(document)
    sets = _sets(document.get("sets", {}), chain, known=known)
    limits = _limits(document.get("limits", []))
    rules = _rules(required(document, "rules", ""), chain, sets, limits)
    expires = parse_moment(document["expires"], "expires") if "expires" in document else None
    source = text if known and isinstance(text, bytes) else canonical(document)
    return Policy(chain, rules, limits, expires, source)


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
    of_evm = chain.namespace == EIP155
    read = _known_addresses if known and of_evm else _addresses_of if of_evm else _of_solana
    most = MAX_SET_MEMBERS if of_evm else MAX_SOLANA_MEMBERS
    if not isinstance(json, dict) or len(json) > MAX_SETS:
        raise BadPolicy(f"sets is an object of at most {MAX_SETS} lists of addresses", "sets")
    found: dict[str, frozenset[Address | SolanaAddress]] = {}
    for name, members in json.items():
        path = f"sets.{name}"
        name_of(name, path)
        if not isinstance(members, list) or not 0 < len(members) <= MAX_SET_MEMBERS:
            raise BadPolicy(f"a set lists 1 to {MAX_SET_MEMBERS} addresses", path)
        most -= len(members)
        if most < 0:
            limits = f"{MAX_SET_MEMBERS} addresses, {MAX_SOLANA_MEMBERS} on Solana"
            raise BadPolicy(f"all sets together list at most {limits}", "sets")
        addresses = read(members, path)
        found[name] = frozenset(addresses)
        if len(found[name]) != len(addresses):
            raise BadPolicy("an address stands twice in the set", path)
    return found


def _addresses_of(members: list[Json], path: str) -> list[Address]:
    return [parse_address(one, f"{path}[{at}]") for at, one in enumerate(members)]


def _of_solana(members: list[Json], path: str) -> list[SolanaAddress]:
    return [parse_solana_address(one, f"{path}[{at}]") for at, one in enumerate(members)]


def _known_addresses(members: list[Json], path: str) -> list[Address]:  # noqa: ARG001
    """Read addresses whose checksums were right before: all at once."""
    return [Address(bytes.fromhex(str(one)[2:])) for one in members]


def _limits(json: Json) -> dict[str, Limit]:
    limits: dict[str, Limit] = {}
    for at, one in enumerate(objects(json, "limits", MAX_LIMITS)):
        path = f"limits[{at}]"
        limit = _limit(one, path)
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
    for at, one in enumerate(objects(json, "rules", MAX_RULES)):
        path = f"rules[{at}]"
        rule = _rule(one, chain, sets, limits, path)
        if rule.name in names:
            raise BadPolicy(f'two rules are called "{rule.name}"', f"{path}.id")
        rules.append(rule)
        names.add(rule.name)
    _same_functions(rules)
    if len(suffixes_of(rule for rule in rules if isinstance(rule, EvmRule))) > MAX_SUFFIXES:
        raise BadPolicy(f"at most {MAX_SUFFIXES} different suffixes are read behind", "rules")
    owners = sum(rule.token_owners for rule in rules if isinstance(rule, TransferRule))
    if owners > MAX_TOKEN_OWNERS:
        raise BadPolicy(
            f"rules on tokens name {owners} addresses, at most {MAX_TOKEN_OWNERS} are asked for "
            "their token accounts: name fewer, or one in fewer rules",
            "rules",
        )
    return tuple(rules)


def _same_functions(rules: list[Rule]) -> None:
    """Refuse a selector that two rules read differently: what it calls is one of the two."""
    known: dict[bytes, str] = {}
    for rule in rules:
        for selector, function in rule.functions.items() if isinstance(rule, EvmRule) else ():
            if known.setdefault(selector, function.signature) != function.signature:
                raise BadPolicy(
                    f"{known[selector]} and {function.signature} have the same selector", "rules"
                )


def _rule(
    json: dict[str, Json], chain: Chain, sets: Sets, limits: dict[str, Limit], path: str
) -> Rule:
    method = required(json, "method", path)
    if chain.namespace == EIP155 and method == SIGN_TRANSACTION:
        return parse_evm_rule(json, sets, limits, path)
    if chain.namespace == SOLANA and method == SIGN_SOLANA_TRANSACTION:
        return parse_transfer_rule(json, sets, limits, path)
    if (chain.namespace, method) in ((EIP155, SIGN_MESSAGE), (SOLANA, SIGN_SOLANA_MESSAGE)):
        return parse_text_rule(json, str(method), path)
    known = {
        EIP155: f"{SIGN_TRANSACTION} and {SIGN_MESSAGE}",
        SOLANA: f"{SIGN_SOLANA_TRANSACTION} and {SIGN_SOLANA_MESSAGE}",
    }
    raise BadPolicy(
        f"on {chain.namespace} this version has rules for {known[chain.namespace]} only; "
        "all other methods are refused",
        f"{path}.method",
    )
