"""Methods of our own: who this network is, its proofs, its requests, its test tokens."""

from keymoot.base.hexes import data, parse_data, quantity
from keymoot.base.strict_json import Json
from keymoot.crypto.keccak import keccak256
from keymoot.gateway.errors import INVALID_PARAMS, METHOD_NOT_FOUND, RpcError
from keymoot.gateway.parameters import address_of, exactly, hash_of, height_of, newest_only, slot_of
from keymoot.gateway.services import Services
from keymoot.runtime.assembly import assembly_in
from keymoot.runtime.members import chain_of
from keymoot.runtime.release import find_record, status_of

MAX_LINKS = 256
"""Successions in one answer; whoever wants more asks again."""

BEACON_BYTES = 48
"""Length of a beacon's signature: a compressed point of G1."""


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


async def successions(services: Services, params: list[Json]) -> Json:
    """keymoot_successions: the links after a number of them, so that anyone can follow."""
    (known,) = exactly(params, 1, 1)
    if isinstance(known, bool) or not isinstance(known, int) or known < 0:
        raise RpcError(INVALID_PARAMS, "how many links are known is a number, 0 for none")
    hall = assembly_in(services.ledger.state(), services.ledger.network)
    links: list[Json] = [data(link) for link in chain_of(hall, known, MAX_LINKS)]
    return links


async def cosign(services: Services, params: list[Json]) -> Json:
    """keymoot_cosign: the enclaves' shares for a bound request, under its block's beacon."""
    key, beacon = exactly(params, 2, 2)
    signature = parse_data(beacon, "beacon", BEACON_BYTES)
    return await services.shares.cosign(hash_of(key, "request"), signature)


async def faucet(services: Services, params: list[Json]) -> Json:
    """keymoot_faucet: test tokens, on a development network."""
    who = address_of(exactly(params, 1, 1)[0], "address")
    if services.faucet is None:
        raise RpcError(METHOD_NOT_FOUND, "this is no development network: it has no faucet")
    return (await services.faucet(who)).hex0x
