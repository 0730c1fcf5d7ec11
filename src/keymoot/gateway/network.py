"""Methods of our own: who this network is, its proofs, its requests, its test tokens."""

from keymoot.base.fixed import WalletId
from keymoot.base.hexes import data, parse_quantity, quantity
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.crypto.keccak import keccak256
from keymoot.engine.ledger import Ledger
from keymoot.gateway.errors import METHOD_NOT_FOUND, REJECTED, RpcError, invalid_params
from keymoot.gateway.parameters import (
    address_of,
    exactly,
    hash_of,
    height_of,
    slot_of,
    slots_of,
    state_height,
)
from keymoot.gateway.services import Services
from keymoot.proof.build import (
    PastBlocks,
    prove_cells,
    prove_committee,
    prove_log,
    prove_wallet,
    steps,
)
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import Shown
from keymoot.proof.founding import Founding
from keymoot.runtime.release import find_record, status_of
from keymoot.store.header import Header


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
    ledger = services.ledger
    record = ledger.founding_record()
    if record is None:
        raise RpcError(REJECTED, "the network is being founded: ask again in some seconds")
    return Founding(ledger.genesis.encode(), record.encode()).to_json()


async def certified(services: Services, params: list[Json]) -> Json:
    """keymoot_certified: a certified header; for a block without one, the next that has one."""
    height = height_of(services.ledger, exactly(params, 0, 1)[0])
    shown = None if height is None else services.ledger.certified(height)
    return None if shown is None else Shown(*shown).to_json()


async def committee(services: Services, params: list[Json]) -> Json:
    """keymoot_committee: who keeps the keys, proved under the newest certified header."""
    exactly(params, 0, 0)
    ledger = services.ledger
    return ProofBundle(_newest(ledger), prove_committee(ledger.state())).to_json()


async def wallet(services: Services, params: list[Json]) -> Json:
    """keymoot_wallet: its record, policy and book, proved under the newest certified header."""
    (which,) = exactly(params, 1, 1)
    ledger = services.ledger
    proof = prove_wallet(ledger.state(), WalletId(hash_of(which, "wallet")))
    return ProofBundle(_newest(ledger), proof).to_json()


async def cells(services: Services, params: list[Json]) -> Json:
    """keymoot_cells: a contract's, absent ones too, proved under the newest certified header."""
    who, slots = exactly(params, 2, 2)
    ledger, address = services.ledger, address_of(who, "address")
    wanted = slots_of(slots, "slots", least=1)
    return ProofBundle(_newest(ledger), prove_cells(ledger.state(), address, wanted)).to_json()


async def log(services: Services, params: list[Json]) -> Json:
    """keymoot_log: entries of a wallet's log, proved under the newest certified header."""
    which, start, count = exactly(params, 3, 3)
    ledger, wallet = services.ledger, WalletId(hash_of(which, "wallet"))
    first, most = _small(start, "start"), _small(count, "count")
    return ProofBundle(_newest(ledger), prove_log(ledger.state(), wallet, first, most)).to_json()


async def follow(services: Services, params: list[Json]) -> Json:
    """keymoot_follow: what leads from a block that somebody saw to the newest one."""
    (which,) = exactly(params, 1, 1)
    ledger = services.ledger
    height = ledger.height_of(hash_of(which, "blockHash"))
    seen = None if height is None else ledger.header(height)
    if seen is None:
        raise RpcError(REJECTED, "unknown block: no block of this chain has that hash")
    past = PastBlocks(lambda at: _header(ledger, at), lambda at: _certified(ledger, at))
    return [step.to_json() for step in steps(seen, _newest(ledger), ledger.state(), past)]


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


async def committee_status(services: Services, params: list[Json]) -> Json:
    """keymoot_assembly: seats, generation, roots and stock, as the newest state has them."""
    exactly(params, 0, 0)
    return services.shares.committee_status()


async def faucet(services: Services, params: list[Json]) -> Json:
    """keymoot_faucet: test tokens, on a development network."""
    who = address_of(exactly(params, 1, 1)[0], "address")
    if services.faucet is None:
        raise RpcError(METHOD_NOT_FOUND, "this is no development network: it has no faucet")
    return (await services.faucet(who)).hex0x


def _small(told: Json, name: str) -> int:
    value = parse_quantity(told, name)
    if value >= 2**64:
        raise invalid_params(f"{name} has at most 64 bits")
    return value


def _newest(ledger: Ledger) -> Shown:
    return _certified(ledger, ledger.height())


def _certified(ledger: Ledger, height: Height) -> Shown:
    certified = ledger.certified(height)
    if certified is None:
        raise RpcError(REJECTED, "the network is being founded: ask again in some seconds")
    return Shown(*certified)


def _header(ledger: Ledger, height: Height) -> Header:
    header = ledger.header(height)
    if header is None:
        raise RpcError(REJECTED, f"there is no block {height}")
    return header
