"""Logs, and the filters with which clients poll for them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.fixed import Address, Bytes32
from keymoot.base.hexes import quantity
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.engine.ledger import Ledger
from keymoot.engine.stored_block import StoredBlock
from keymoot.gateway.errors import LIMIT_EXCEEDED, REJECTED, RpcError, invalid_params
from keymoot.gateway.parameters import NEWEST, address_of, exactly, hash_of, height_of
from keymoot.gateway.render import logs_json
from keymoot.gateway.scan import scan_blocks
from keymoot.gateway.services import Services
from keymoot.runtime.receipt import Log

MAX_BLOCKS = 10_000
"""Blocks that one query may cover."""
MAX_LOGS = 10_000
"""Logs that one query may find."""
MAX_FILTERS = 256
MAX_TOPICS = 4
MAX_ALTERNATIVES = 256
FILTER_SECONDS = 300
"""How long a filter lives that nobody polls."""


@dataclass(frozen=True, slots=True)
class LogPattern:
    """Which logs are wanted; empty means any."""

    addresses: frozenset[Address]
    topics: tuple[frozenset[Bytes32], ...]

    def matches(self, log: Log) -> bool:
        if self.addresses and log.address not in self.addresses:
            return False
        if len(self.topics) > len(log.topics):
            return False
        pairs = zip(self.topics, log.topics, strict=False)
        return all(not wanted or topic in wanted for wanted, topic in pairs)


@dataclass(slots=True)
class Filter:
    """What one client polls for: logs of a pattern, or block hashes where it is None.

    Attributes:
        next_height: The first block that the next poll looks at.
        first: Where all logs of the filter begin.
        last: Where they end; None for the newest block.
    """

    pattern: LogPattern | None
    next_height: Height
    touched: float
    nothing: bool = False
    first: Height = Height(0)
    last: Height | None = None


@dataclass(slots=True)
class Filters:
    """All filters of a node, by their last poll; they expire when nobody polls."""

    now: Callable[[], float]
    _filters: dict[str, Filter] = field(default_factory=dict)

    def add(self, made: Filter) -> str:
        self._expire()
        while len(self._filters) >= MAX_FILTERS:
            # The one that was polled longest ago; whoever misses it makes a new one.
            del self._filters[next(iter(self._filters))]
        # Nobody guesses another's filter, nor takes one from before a restart for his own.
        name = quantity(secrets.randbits(128))
        self._filters[name] = made
        return name

    def get(self, name: Json) -> Filter:
        self._expire()
        filter_ = self._filters.get(_filter_id(name))
        if filter_ is None:
            # Clients make a new one when they read this code.
            raise RpcError(REJECTED, "filter not found: it expired, or never was")
        filter_.touched = self.now()
        self._filters[_filter_id(name)] = self._filters.pop(_filter_id(name))
        return filter_

    def remove(self, name: Json) -> bool:
        """Forget a filter; tell whether it lived."""
        return self._filters.pop(_filter_id(name), None) is not None

    def _expire(self) -> None:
        oldest = self.now() - FILTER_SECONDS
        for name in [name for name, kept in self._filters.items() if kept.touched < oldest]:
            del self._filters[name]


async def get_logs(services: Services, params: list[Json]) -> Json:
    query = exactly(params, 1, 1)[0]
    if not isinstance(query, dict):
        raise invalid_params("a filter object is expected")
    first, last = _range(services.ledger, query)
    return await _find(services, read_pattern(query), first, last)


async def log_filter(services: Services, filters: Filters, params: list[Json]) -> Json:
    query = exactly(params, 1, 1)[0]
    if not isinstance(query, dict):
        raise invalid_params("a filter object is expected")
    first, last = _range(services.ledger, query)
    newest = services.ledger.height()
    made = Filter(read_pattern(query), Height(newest + 1), filters.now(), first=first)
    if query.get("toBlock") not in (None, *NEWEST):
        made.last = last
    return filters.add(made)


async def block_filter(services: Services, filters: Filters, params: list[Json]) -> Json:
    exactly(params, 0, 0)
    return filters.add(Filter(None, Height(services.ledger.height() + 1), filters.now()))


async def pending_filter(services: Services, filters: Filters, params: list[Json]) -> Json:
    """eth_newPendingTransactionFilter: what waits is not shown, so it stays empty."""
    exactly(params, 0, 0)
    start = Height(services.ledger.height() + 1)
    return filters.add(Filter(None, start, filters.now(), nothing=True))


async def filter_changes(services: Services, filters: Filters, params: list[Json]) -> Json:
    """eth_getFilterChanges: what is new since the last poll."""
    filter_ = filters.get(exactly(params, 1, 1)[0])
    if filter_.nothing:
        return []
    newest = services.ledger.height()
    first = filter_.next_height
    last = Height(min(newest, first + MAX_BLOCKS - 1))
    filter_.next_height = Height(max(first, last + 1))
    if filter_.pattern is not None:
        return await _find(services, filter_.pattern, first, last)
    return await scan_blocks(services, first, last, _hash_of)


async def filter_logs(services: Services, filters: Filters, params: list[Json]) -> Json:
    """eth_getFilterLogs: all logs of the filter, from the block that it begins with."""
    filter_ = filters.get(exactly(params, 1, 1)[0])
    if filter_.pattern is None:
        raise invalid_params("this filter is not one for logs")
    last = services.ledger.height() if filter_.last is None else filter_.last
    return await _find(services, filter_.pattern, filter_.first, last)


async def uninstall(services: Services, filters: Filters, params: list[Json]) -> Json:
    return filters.remove(exactly(params, 1, 1)[0])


def _filter_id(name: Json) -> str:
    if not isinstance(name, str):
        raise invalid_params("a filter's id is text, as it was given")
    return name


def read_pattern(query: dict[str, Json]) -> LogPattern:
    wanted = query.get("address")
    addresses = wanted if isinstance(wanted, list) else [] if wanted is None else [wanted]
    topics = query.get("topics")
    if topics is None:
        topics = []
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS:
        raise invalid_params(f"topics is a list of at most {MAX_TOPICS}")
    if len(addresses) > MAX_ALTERNATIVES:
        raise invalid_params(f"at most {MAX_ALTERNATIVES} addresses are accepted")
    return LogPattern(
        frozenset(address_of(address, "address") for address in addresses),
        tuple(_alternatives(topic) for topic in topics),
    )


def _alternatives(topic: Json) -> frozenset[Bytes32]:
    several = topic if isinstance(topic, list) else [] if topic is None else [topic]
    if len(several) > MAX_ALTERNATIVES:
        raise invalid_params(f"at most {MAX_ALTERNATIVES} topics are accepted in one place")
    return frozenset(
        Bytes32(hash_of(alternative, "topics"))
        for alternative in several
        if alternative is not None
    )


def _range(ledger: Ledger, query: dict[str, Json]) -> tuple[Height, Height]:
    if query.get("blockHash") is not None:
        if query.get("fromBlock") is not None or query.get("toBlock") is not None:
            raise invalid_params("blockHash stands alone, without fromBlock and toBlock")
        height = ledger.height_of(hash_of(query["blockHash"], "blockHash"))
        if height is None:
            raise invalid_params("unknown block")
        return height, height
    first = height_of(ledger, query.get("fromBlock"), "fromBlock")
    last = height_of(ledger, query.get("toBlock"), "toBlock")
    newest = ledger.height()
    return Height(newest + 1) if first is None else first, newest if last is None else last


async def _find(services: Services, pattern: LogPattern, first: Height, last: Height) -> Json:
    if last - first >= MAX_BLOCKS:
        raise RpcError(LIMIT_EXCEEDED, f"a query covers at most {MAX_BLOCKS} blocks: cut it up")
    logs: list[Json] = []

    def search(block: StoredBlock) -> None:
        if not block.transactions:
            return
        before = 0
        for index, receipt in enumerate(services.ledger.receipts(block)):
            shown = logs_json(block, index, receipt, before)
            pairs = zip(receipt.logs, shown, strict=True)
            logs.extend(json for log, json in pairs if pattern.matches(log))
            before += len(receipt.logs)
        if len(logs) > MAX_LOGS:
            raise RpcError(LIMIT_EXCEEDED, f"a query finds at most {MAX_LOGS} logs: cut it up")

    await scan_blocks(services, first, last, search)
    return logs


def _hash_of(block: StoredBlock) -> Json:
    return block.header.hash.hex0x
