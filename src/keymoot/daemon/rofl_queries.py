"""What ROFL's clients ask a ParaTime, as far as this ledger has an answer.

    rofl.App {id}                       the app, its admin, policy's measurements, metadata
    rofl.AppInstance {app, rak}         one instance, by its key
    rofl.MetadataLimits                 how much metadata an instance may have
    evm.Balance {address}               of the ledger's token

Anything else is refused by name.
"""

from collections.abc import Mapping
from typing import Any

from keymoot.base.errors import Malformed
from keymoot.daemon.cbor import decode, encode
from keymoot.daemon.errors import NotServed
from keymoot.daemon.instance_metadata import MAX_NAME_BYTES, MAX_PAIRS, MAX_VALUE_BYTES
from keymoot.daemon.port import RegisteredInstance

LEDGER_QUERIES = ("rofl.App", "rofl.AppInstance", "evm.Balance")
"""What the network is asked for; the rest is known here."""

_LIMITS = ("max_pairs", "max_key_size", "max_value_size")


def answer_query(instance: RegisteredInstance, method: str, raw: bytes) -> bytes:
    """Give the answer in CBOR.

    Raises:
        NotServed: no such query here.
        Malformed: these are no arguments of it.
    """
    arguments = decode(raw) if raw else None
    if method == "rofl.MetadataLimits":
        most = (MAX_PAIRS + 10, MAX_NAME_BYTES, MAX_VALUE_BYTES)
        return encode(dict(zip(_LIMITS, most, strict=True)))
    if method not in LEDGER_QUERIES:
        raise NotServed(f"this ledger knows no query of this name: {', '.join(LEDGER_QUERIES)}")
    return encode(instance.query(method, _texts(arguments)))


def _texts(arguments: Any) -> Mapping[str, Any]:
    if not isinstance(arguments, dict) or any(not isinstance(name, str) for name in arguments):
        raise Malformed("arguments are a map by names", "args")
    return arguments
