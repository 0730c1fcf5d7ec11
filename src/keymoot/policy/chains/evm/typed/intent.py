"""A wish for EIP-712 typed data, decoded; before anything is decided.

The payload is the document of `eth_signTypedData_v4`, in JSON: types, primaryType, domain, message.
What would be signed is hashed here, of what was read; nobody's hash is believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from keymoot.base.abi.kinds import BadType
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Hash32
from keymoot.base.request import SIGN_TYPED_DATA
from keymoot.base.shown import shown
from keymoot.base.strict_json import Json, parse
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.evm.address import EIP155
from keymoot.policy.chains.evm.typed.powers import hazard_of
from keymoot.policy.chains.evm.typed.struct import Reader, RecursiveType, Struct, struct_of
from keymoot.policy.refusal import NeverSigned
from keymoot.policy.shown import show

MAX_TYPED_DATA_BYTES = 65_536

DOMAIN: Final = "EIP712Domain"
DOMAIN_FIELDS: Final[Mapping[str, str]] = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
"""The fields that a domain may have, with their types, in the standard's order."""

_PARTS: Final = frozenset({"types", "primaryType", "domain", "message"})
_BEGIN: Final = b"\x19\x01"


@dataclass(frozen=True)
class TypedIntent:
    """Typed data that a wallet is asked to sign.

    Attributes:
        wallet: The wallet's address.
        struct: The primary type.
        domain: The domain's values by name, as far as it has them.
        values: The message's values, in the order of the type.
        digest: What is signed.
        slot: None: no later document replaces this one.
    """

    method: ClassVar[str] = SIGN_TYPED_DATA

    wallet: Address
    struct: Struct
    domain: Mapping[str, Any]
    values: tuple[Any, ...]
    digest: Hash32
    message: bytes = b""
    slot: None = None
    max_fee: int = 0
    value: int = 0

    @property
    def network(self) -> str:
        """The chain that the domain names; the namespace where it names none."""
        chain = self.domain.get("chainId")
        return EIP155 if chain is None else f"{EIP155}:{chain}"

    def decoded(self) -> dict[str, Json]:
        return {
            "primaryType": shown(self.struct.name),
            "domain": {name: show(value) for name, value in self.domain.items()},
        }


def read_typed_data(payload: bytes, wallet: Address) -> TypedIntent:
    """Decode a wish; raise NeverSigned for what is no document, and for what no rule can read."""
    try:
        document = parse(payload, MAX_TYPED_DATA_BYTES)
        if not isinstance(document, dict) or document.keys() != _PARTS:
            raise Malformed(f"an object of {', '.join(sorted(_PARTS))}, and of nothing else")
        primary = document["primaryType"]
        if not isinstance(primary, str) or primary == DOMAIN:
            raise Malformed("the name of a type, and not the domain's", "primaryType")
        hazard = hazard_of(primary)
        if hazard is not None and not hazard.ruled:
            message = f"{hazard.gives}: no rule can tell what it does, so it is never signed"
            raise NeverSigned(hazard.reason, message, "primaryType")
        fields = _types(document["types"])
        reader = Reader()
        domain, separator = _domain(document["domain"], fields.pop(DOMAIN, None), reader)
        struct = struct_of(primary, fields)
        values, body = reader.struct(struct, document["message"], "message")
    except RecursiveType as error:
        raise NeverSigned("RECURSIVE_TYPE", error.reason, "types") from error
    except BadType as error:
        raise _never(error.reason, "types") from error
    except Malformed as error:
        raise _never(error.reason, error.path or "payload") from error
    digest = keccak256(_BEGIN + separator + body)
    return TypedIntent(wallet, struct, domain, values, digest)


def _types(json: Json) -> dict[str, tuple[tuple[str, str], ...]]:
    if not isinstance(json, dict):
        raise Malformed("an object of types", "types")
    types = {}
    for name, fields in json.items():
        path = f"types.{name}"
        if not isinstance(fields, list):
            raise Malformed("a list of fields", path)
        types[name] = tuple(_field(listed, path) for listed in fields)
    return types


def _field(json: Json, path: str) -> tuple[str, str]:
    if not isinstance(json, dict) or json.keys() != {"name", "type"}:
        raise Malformed('a field is {"name": …, "type": …}', path)
    name, kind = json["name"], json["type"]
    if not isinstance(name, str) or not isinstance(kind, str):
        raise Malformed("a field's name and type are texts", path)
    return kind, name


def _domain(
    json: Json, told: tuple[tuple[str, str], ...] | None, reader: Reader
) -> tuple[dict[str, Any], bytes]:
    """Read a domain; where the types leave it out, its fields are in the standard's order."""
    if not isinstance(json, dict) or not json:
        raise Malformed("an object that names somebody", "domain")
    fields = told
    if fields is None:
        fields = tuple((kind, name) for name, kind in DOMAIN_FIELDS.items() if name in json)
    if any(DOMAIN_FIELDS.get(name) != kind for kind, name in fields):
        known = ", ".join(f"{kind} {name}" for name, kind in DOMAIN_FIELDS.items())
        raise Malformed(f"a domain has {known}, or some of them", "domain")
    struct = struct_of(DOMAIN, {DOMAIN: fields})
    values, separator = reader.struct(struct, json, "domain")
    return dict(zip([name for _, name in fields], values, strict=True)), separator


def _never(why: str, path: str) -> NeverSigned:
    return NeverSigned("MALFORMED_TYPED_DATA", f"this is no EIP-712 document: {why}", path)
