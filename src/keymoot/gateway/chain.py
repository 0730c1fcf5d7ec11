"""Methods about the chain: its id, its blocks, its fees."""

from keymoot.base.hexes import quantity
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.engine.stored_block import StoredBlock
from keymoot.gateway.errors import invalid_params
from keymoot.gateway.parameters import count_of, exactly, flag_of, hash_of, height_of
from keymoot.gateway.render import GENESIS, block_json, receipt_json
from keymoot.gateway.scan import scan_blocks
from keymoot.gateway.services import Services

MAX_FEE_HISTORY = 1_024
MAX_PERCENTILES = 100


async def chain_id(services: Services, params: list[Json]) -> Json:
    exactly(params, 0, 0)
    return quantity(services.ledger.genesis.chain_id)


async def net_version(services: Services, params: list[Json]) -> Json:
    """net_version: the chain id in decimal."""
    exactly(params, 0, 0)
    return str(services.ledger.genesis.chain_id)


async def client_version(services: Services, params: list[Json]) -> Json:
    exactly(params, 0, 0)
    mark = "-SIMULATED" if services.info.simulated else ""
    return f"keymoot/{services.info.version}{mark}/python"


async def block_number(services: Services, params: list[Json]) -> Json:
    """eth_blockNumber: the newest certified block."""
    exactly(params, 0, 0)
    return quantity(services.ledger.height())


async def syncing(services: Services, params: list[Json]) -> Json:
    """eth_syncing: a single replica never is."""
    exactly(params, 0, 0)
    return False


async def coinbase(services: Services, params: list[Json]) -> Json:
    """eth_coinbase: nobody; fees are burned."""
    del services
    exactly(params, 0, 0)
    return "0x" + "00" * 20


async def block_by_number(services: Services, params: list[Json]) -> Json:
    which, whole = exactly(params, 1, 2)
    height, hydrated = height_of(services.ledger, which), flag_of(whole, "hydrated")
    return None if height is None else block_json(services.ledger, height, whole=hydrated)


async def block_by_hash(services: Services, params: list[Json]) -> Json:
    which, whole = exactly(params, 1, 2)
    height = services.ledger.height_of(hash_of(which, "blockHash"))
    hydrated = flag_of(whole, "hydrated")
    return None if height is None else block_json(services.ledger, height, whole=hydrated)


async def count_by_number(services: Services, params: list[Json]) -> Json:
    return _count(services, height_of(services.ledger, exactly(params, 1, 1)[0]))


async def count_by_hash(services: Services, params: list[Json]) -> Json:
    name = hash_of(exactly(params, 1, 1)[0], "blockHash")
    return _count(services, services.ledger.height_of(name))


async def block_receipts(services: Services, params: list[Json]) -> Json:
    ledger = services.ledger
    height = height_of(ledger, exactly(params, 1, 1)[0])
    if height == GENESIS:
        return []
    block = None if height is None else ledger.block(height)
    if block is None:
        return None
    receipts = ledger.receipts(block)
    return [receipt_json(ledger.included(block, receipts, index)) for index in range(len(receipts))]


async def gas_price(services: Services, params: list[Json]) -> Json:
    """eth_gasPrice: the constant base fee."""
    exactly(params, 0, 0)
    return quantity(services.ledger.genesis.base_fee)


async def priority_fee(services: Services, params: list[Json]) -> Json:
    """eth_maxPriorityFeePerGas: nothing, for tips are not charged."""
    exactly(params, 0, 0)
    return "0x0"


async def fee_history(services: Services, params: list[Json]) -> Json:
    count, newest, percentiles = exactly(params, 2, 3)
    wanted, shares = count_of(count, "blockCount"), _percentiles(percentiles)
    height = height_of(services.ledger, newest, "newestBlock")
    if height is None:
        raise invalid_params("newestBlock is above the newest block")
    blocks = min(wanted, MAX_FEE_HISTORY, height + 1)
    oldest = height - blocks + 1
    fee = quantity(services.ledger.genesis.base_fee)

    def ratio(block: StoredBlock) -> Json:
        return block.header.gas_used / block.header.gas_limit  # type: ignore[return-value]

    genesis: list[Json] = [0] if blocks and oldest == GENESIS else []
    history: dict[str, Json] = {
        "oldestBlock": quantity(oldest if blocks else height),
        "baseFeePerGas": [fee] * (blocks + 1),
        "gasUsedRatio": genesis + await scan_blocks(services, oldest, oldest + blocks - 1, ratio),
    }
    if shares:
        history["reward"] = [["0x0"] * shares for _ in range(blocks)]
    return history


def _percentiles(value: Json) -> int:
    """Count reward percentiles: numbers from 0 to 100 that do not fall."""
    if value is None:
        return 0
    if not isinstance(value, list) or len(value) > MAX_PERCENTILES:
        raise invalid_params(f"rewardPercentiles is a list of at most {MAX_PERCENTILES}")
    least: float = 0
    for percentile in value:
        if (
            isinstance(percentile, bool)
            or not isinstance(percentile, (int, float))
            or not least <= percentile <= 100
        ):
            raise invalid_params("rewardPercentiles are numbers from 0 to 100 that do not fall")
        least = percentile
    return len(value)


def _count(services: Services, height: Height | None) -> Json:
    if height == GENESIS:
        return quantity(0)
    block = None if height is None else services.ledger.block(height)
    return None if block is None else quantity(len(block.transactions))
