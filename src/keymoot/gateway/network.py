"""Methods of our own: who this network is, its proofs, its requests, its test tokens."""

from keymoot.base.hexes import data, quantity
from keymoot.base.strict_json import Json
from keymoot.gateway.errors import METHOD_NOT_FOUND, RpcError
from keymoot.gateway.parameters import address_of, exactly, hash_of, height_of, newest_only, slot_of
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
                "identityKey": info.identity_key.hex0x,
                "measurement": data(info.measurement),
                "quote": data(info.quote),
                "simulated": info.simulated,
            }
        ],
    }


async def signed_header(services: Services, params: list[Json]) -> Json:
    """keymoot_getSignedHeader: a header with its commit, as CometBFT writes it."""
    height = height_of(services.ledger, exactly(params, 0, 1)[0])
    found = None if height is None else services.ledger.signed_header(height)
    return None if found is None else data(found.encode())


async def entry(services: Services, params: list[Json]) -> Json:
    """keymoot_getEntry: the value of a cell by address and slot; its slot proves its hash."""
    who, where, when = exactly(params, 2, 3)
    newest_only(services.ledger, when)
    state = services.ledger.state()
    value = state.entry(address_of(who, "address"), slot_of(where, "slot"))
    return None if value is None else data(value)


async def request(services: Services, params: list[Json]) -> Json:
    """keymoot_getRequest: how far a request has come, without its answer."""
    key = hash_of(exactly(params, 1, 1)[0], "request")
    record = find_record(services.ledger.state(), key)
    return {"status": status_of(record, services.ledger.now()), "known": record is not None}


async def faucet(services: Services, params: list[Json]) -> Json:
    """keymoot_faucet: test tokens, on a development network."""
    who = address_of(exactly(params, 1, 1)[0], "address")
    if services.faucet is None:
        raise RpcError(METHOD_NOT_FOUND, "this is no development network: it has no faucet")
    return (await services.faucet(who)).hex0x
