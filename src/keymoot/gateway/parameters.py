"""Read JSON-RPC parameters strictly, with errors that name them."""

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.hexes import parse_data, parse_quantity
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.engine.ledger import Ledger
from keymoot.engine.undo import KEPT_BLOCKS
from keymoot.gateway.errors import REJECTED, RESOURCE_UNAVAILABLE, RpcError, invalid_params

MAX_DATA_BYTES = 131_072

MAX_SLOTS = 32
"""Slots of one account in one proof: each may hold 256 KiB."""

NEWEST = ("latest", "pending", "safe", "finalized")


def exactly(params: list[Json], least: int, most: int) -> list[Json]:
    """Give `most` parameters, with None for those left out."""
    if not least <= len(params) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise invalid_params(f"{wanted} parameters are expected, got {len(params)}")
    return [*params, *[None] * (most - len(params))]


def address_of(value: Json, name: str) -> Address:
    raw = parse_data(value, name)
    if len(raw) != Address.LENGTH:
        raise Malformed(f"an address is {Address.LENGTH} bytes, got {len(raw)}", name)
    return Address(raw)


def hash_of(value: Json, name: str) -> Hash32:
    raw = parse_data(value, name)
    if len(raw) != Hash32.LENGTH:
        raise Malformed(f"a hash is {Hash32.LENGTH} bytes, got {len(raw)}", name)
    return Hash32(raw)


def slot_of(value: Json, name: str) -> Bytes32:
    """Read a storage slot: a quantity, or up to 32 bytes."""
    text = value if isinstance(value, str) else ""
    digits = text[2:] if text.startswith("0x") else ""
    if not 0 < len(digits) <= 64:
        raise Malformed("a storage slot is up to 32 bytes of hex", name)
    return Bytes32(parse_data("0x" + digits.zfill(64), name))


def slots_of(value: Json, name: str, least: int) -> list[Bytes32]:
    if not isinstance(value, list) or not least <= len(value) <= MAX_SLOTS:
        bounds = f"{least} to {MAX_SLOTS}" if least else f"at most {MAX_SLOTS}"
        raise invalid_params(f"a list of {bounds} slots is expected")
    return [slot_of(slot, f"{name}[{at}]") for at, slot in enumerate(value)]


def flag_of(value: Json, name: str) -> bool:
    """Read a flag; what is left out is False."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Malformed("true or false is expected", name)
    return value


def count_of(value: Json, name: str) -> int:
    """Read a number: a quantity, or a whole JSON number that is not negative."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise Malformed("a number is not negative", name)
        return value
    return parse_quantity(value, name)


def data_of(value: Json, name: str) -> bytes:
    return parse_data(value, name, MAX_DATA_BYTES)


def height_of(ledger: Ledger, value: Json, name: str = "block") -> Height | None:
    """Read a block parameter; None for a height that does not exist. Genesis is 0."""
    if value is None or value in NEWEST:
        return ledger.height()
    if value == "earliest":
        return Height(0)
    if isinstance(value, dict):
        if "blockHash" in value:
            return ledger.height_of(hash_of(value["blockHash"], f"{name}.blockHash"))
        value = value.get("blockNumber")
    if isinstance(value, str) and len(value) == 2 + 2 * Hash32.LENGTH:
        return ledger.height_of(hash_of(value, name))
    height = Height(parse_quantity(value, name))
    return height if height <= ledger.height() else None


def state_height(ledger: Ledger, value: Json) -> Height:
    """Read at which block state is asked for; what is left out is the newest."""
    height = height_of(ledger, value)
    if height is None:
        raise RpcError(REJECTED, "unknown block: it is above the newest one, or of another ledger")
    if height < ledger.oldest_state():
        raise RpcError(
            RESOURCE_UNAVAILABLE,
            f"state is kept of the newest {KEPT_BLOCKS} blocks, from {ledger.oldest_state()} on now: "
            'ask at a later one or at "latest"; blocks, receipts and logs are kept of all',
        )
    return height
