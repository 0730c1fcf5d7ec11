"""What docs/rpc.md says is so."""

import pytest

from demo.checkout import ROOT
from keymoot.base.request import REQUEST_TYPE
from keymoot.base.units import LEDGER_CHAIN_ID, Height
from keymoot.committee.messages import MESSAGE_TYPE
from keymoot.engine import mempool
from keymoot.gateway import errors, limits, logs
from keymoot.gateway.logs import Filter, Filters
from keymoot.gateway.methods import _FILTER_METHODS, _METHODS
from keymoot.policy.errors import REFUSED_CODE

PAGE = (ROOT / "docs" / "rpc.md").read_text()


def test_every_method_is_named_and_no_other() -> None:
    names = {
        word for word in PAGE.split("`") if word.startswith(("eth_", "keymoot_", "net_", "web3_"))
    }
    assert names == {*_METHODS, *_FILTER_METHODS}


def test_the_numbers_are_those_of_the_code() -> None:
    for number in (
        LEDGER_CHAIN_ID,
        limits.MAX_BODY_BYTES,
        limits.MAX_BATCH,
        limits.RATE_PER_SECOND,
        limits.BURST,
        logs.MAX_BLOCKS,
        logs.MAX_LOGS,
        logs.MAX_FILTERS,
        logs.FILTER_SECONDS,
        mempool.MAX_PER_SENDER,
        mempool.MAX_AHEAD,
        errors.REVERTED,
        errors.NOT_IN_TIME,
        REFUSED_CODE,
        errors.REJECTED,
        errors.RESOURCE_UNAVAILABLE,
        errors.LIMIT_EXCEEDED,
        errors.INVALID_PARAMS,
    ):
        assert f"{number:,}" in PAGE or str(number) in PAGE, number
    assert f"`{REQUEST_TYPE:#x}`, `{MESSAGE_TYPE:#x}`" in PAGE
    assert mempool.AHEAD_SECONDS == 600, "ten minutes"
    assert mempool.REPLACEMENT_PERCENT == 10, "a tenth"


def test_a_flood_of_filters_ends_those_that_nobody_polls() -> None:
    filters = Filters(lambda: 0.0)

    def add() -> str:
        return filters.add(Filter(None, Height(1), 0.0))

    polled, left = add(), add()
    for _ in range(logs.MAX_FILTERS * 2):
        add()
        filters.get(polled)
    assert len(filters._filters) == logs.MAX_FILTERS
    with pytest.raises(errors.RpcError, match="filter not found") as lost:
        filters.get(left)
    assert lost.value.code == errors.REJECTED


def test_a_filter_is_nobody_elses_to_guess() -> None:
    filters = Filters(lambda: 0.0)
    names = {filters.add(Filter(None, Height(1), 0.0)) for _ in range(100)}
    assert len(names) == 100
    assert min(int(name, 16) for name in names) > 2**100
