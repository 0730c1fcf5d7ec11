"""Methods of our own: who this network is, its proofs, its requests, its test tokens."""

from keymoot.base.hexes import data, quantity
from keymoot.base.strict_json import Json
from keymoot.crypto.keccak import keccak256
from keymoot.gateway.errors import METHOD_NOT_FOUND, RpcError
from keymoot.gateway.parameters import (
    address_of,
    exactly,
    hash_of,
    height_of,
    slot_of,
    state_height,
)
from keymoot.gateway.services import Services
from keymoot.runtime.release import find_record, status_of


async def network(services: Services, params: list[Json]) -> Json:
    """keymoot_network: the id, the genesis it is the hash of, and the node's evidence."""
    exactly(params, 0, 0)
    ledger, info = services.ledger, services.info
    return {
        "network": ledger.network.hex0x,
        "chainId": quantity(ledger.genesis.chain_id),
        "genesis": data(ledger.genesis.encode()),
        "development": ledger.genesis.development,
        "simulated": info.simulated,
        "version": info.version,
        "height": quantity(ledger.height()),
        "nodes": [
            {
                "seat": seat.seat,
                "identityKey": seat.identity_key.hex0x,
                "measurement": data(seat.measurement),
                "quote": data(seat.quote),
                "simulated": info.simulated,
            }
            for seat in info.seats()
        ],
    }


async def founding(services: Services, params: list[Json]) -> Json:
    """keymoot_founding: the genesis and the founders' record, which names the verifying key."""
    exactly(params, 0, 0)
    return founding_bundle(services.ledger.genesis, services.ledger.founding_record())


async def certified(services: Services, params: list[Json]) -> Json:
    """keymoot_certified: a certified header; for a block without one, the next that has one."""
    height = height_of(services.ledger, exactly(params, 0, 1)[0])
    found = None if height is None else services.ledger.certified(height)
    return None if found is None else certified_bundle(found)


async def committee(services: Services, params: list[Json]) -> Json:
    """keymoot_committee: who keeps the keys, proved under the newest certified header."""
    exactly(params, 0, 0)
    ledger = services.ledger
    return committee_bundle(ledger.state(), ledger.network, ledger.certified(ledger.height()))


async def entry(services: Services, params: list[Json]) -> Json:
    """keymoot_getEntry: the value of a cell by address and slot; its slot proves its hash."""
    who, where, when = exactly(params, 2, 3)
    state = services.ledger.state_at(state_height(services.ledger, when))
    value = state.entry(address_of(who, "address"), slot_of(where, "slot"))
    return None if value is None else data(value)


async def request(services: Services, params: list[Json]) -> Json:
    """keymoot_getRequest: how far a request has come, without its answer."""
    key = hash_of(exactly(params, 1, 1)[0], "request")
    record = find_record(services.ledger.state(), key)
    status: Json = status_of(record, services.ledger.now())
    if record is None:
        return {"status": status, "known": False}
    # What was asked, so that nobody takes the answer to something else for its own.
    asked = keccak256(record.method.encode() + b"\0" + record.payload)
    return {"status": status, "known": True, "method": record.method, "asked": asked.hex0x}


async def assembly(services: Services, params: list[Json]) -> Json:
    """keymoot_assembly: seats, generation, roots and stock, as the newest state has them."""
    exactly(params, 0, 0)
    return services.shares.assembly()


async def faucet(services: Services, params: list[Json]) -> Json:
    """keymoot_faucet: test tokens, on a development network."""
    who = address_of(exactly(params, 1, 1)[0], "address")
    if services.faucet is None:
        raise RpcError(METHOD_NOT_FOUND, "this is no development network: it has no faucet")
    return (await services.faucet(who)).hex0x
