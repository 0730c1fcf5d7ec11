"""The transaction object of `eth_call` and `eth_estimateGas`: a call that nobody has signed.

Clients put more into it than a node needs (web3.js: `chain`, `hardfork`, `networkId`).
What is not known here is ignored, as Ethereum's nodes do; what would change the answer
and is not supported is refused.
"""

from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.hexes import parse_data, parse_quantity
from keymoot.base.strict_json import Json
from keymoot.base.transaction import AccessEntry, read_access_list
from keymoot.base.units import Gas, Wei
from keymoot.engine.ledger import Ledger
from keymoot.gateway.errors import REJECTED, RpcError, invalid_params
from keymoot.gateway.parameters import address_of, data_of

_UNSUPPORTED = ("authorizationList", "blobVersionedHashes", "blobs")


@dataclass(frozen=True, slots=True)
class Message:
    """What is asked.

    Attributes:
        sender: Who would send it, says the client; nobody has proved it.
        gas: The most gas that it may use; None for as much as a query may.
        fee: Wei for each unit of gas that the sender would pay at most; None where not said.
        listed: The access list that its transaction would have.
    """

    sender: Address | None
    to: Address | None
    data: bytes
    value: Wei
    gas: Gas | None
    fee: Wei | None
    listed: tuple[AccessEntry, ...]


def read_message(ledger: Ledger, message: Json) -> Message:
    """Read a transaction object that some transaction could become."""
    if not isinstance(message, dict):
        raise invalid_params("a transaction object is expected")
    given: dict[str, Json] = {name: value for name, value in message.items() if value is not None}
    for name in _UNSUPPORTED:
        if given.get(name, []) != []:
            raise invalid_params(f"{name} is not supported: leave it out")
    if "data" in given and "input" in given and given["data"] != given["input"]:
        raise invalid_params("data and input differ: send one of them")
    for name in ("nonce", "type"):
        _quantity(given, name)
    chain_id = _quantity(given, "chainId")
    if chain_id not in (None, ledger.genesis.chain_id):
        raise invalid_params(f"chainId is {chain_id}, this ledger's is {ledger.genesis.chain_id}")
    gas = _quantity(given, "gas")
    return Message(
        sender=address_of(given["from"], "from") if "from" in given else None,
        to=address_of(given["to"], "to") if "to" in given else None,
        data=data_of(given.get("input", given.get("data", "0x")), "input"),
        value=Wei(_quantity(given, "value") or 0),
        gas=None if gas is None else Gas(gas),
        fee=_fee(ledger, given),
        listed=read_access_list(given.get("accessList", []), address_of, _slot),
    )


def _slot(given: Json, path: str) -> Bytes32:
    raw = parse_data(given, path)
    if len(raw) != Bytes32.LENGTH:
        raise Malformed(f"{Bytes32.LENGTH} bytes are expected, got {len(raw)}", path)
    return Bytes32(raw)


def _fee(ledger: Ledger, given: dict[str, Json]) -> Wei | None:
    price, cap = _quantity(given, "gasPrice"), _quantity(given, "maxFeePerGas")
    tip = _quantity(given, "maxPriorityFeePerGas")
    if price is not None and (cap is not None or tip is not None):
        raise invalid_params("both gasPrice and maxFeePerGas or maxPriorityFeePerGas: send one")
    if cap is not None and tip is not None and tip > cap:
        message = f"max priority fee per gas higher than max fee per gas: {tip} > {cap}"
        raise RpcError(REJECTED, message)
    fee = cap if price is None else price
    base = ledger.genesis.base_fee
    # A fee of nothing asks what would be, whatever it costs, as with Ethereum's nodes.
    if fee and fee < base:
        message = f"max fee per gas less than block base fee: maxFeePerGas {fee}, baseFee {base}"
        raise RpcError(REJECTED, message)
    return Wei(fee) if fee else None


def _quantity(given: dict[str, Json], name: str) -> int | None:
    return parse_quantity(given[name], name) if name in given else None
