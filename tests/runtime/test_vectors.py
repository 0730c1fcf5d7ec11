"""Blocks of Ethereum's own tests: our header, and our roots of transactions and receipts."""

import json
from pathlib import Path

import pytest
import rlp

from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Gas, Height, UnixSeconds, Wei
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.receipt import Log, Receipt, bloom, consensus_receipts
from keymoot.store.header import NO_OMMERS, Header
from keymoot.store.ordered import ordered_root

VECTORS = json.loads((Path(__file__).parent / "vectors" / "ethereum_blocks.json").read_text())
COINBASE, DIFFICULTY, EXTRA, NONCE = 2, 7, 12, 14
FREE = {COINBASE, DIFFICULTY, EXTRA, NONCE}
"""Fields in which our headers are constant, or hold what Ethereum's need not."""


def whole(block: dict) -> tuple[list[bytes], list[bytes]]:
    """Give a block's header fields, and its transactions as EIP-2718 writes them."""
    header, transactions, ommers = rlp.decode(bytes.fromhex(block["rlp"][2:]))
    assert ommers == []
    raws = [one if isinstance(one, bytes) else rlp.encode(one) for one in transactions]
    return header, raws


def succeeded(gas: int) -> Receipt:
    somebody = Address(bytes(20))
    return Receipt(Hash32(bytes(32)), somebody, somebody, 1, Gas(gas), Wei(0))


@pytest.mark.parametrize("block", VECTORS["blocks"])
def test_the_roots_are_those_in_the_header(block: dict) -> None:
    header, raws = whole(block)
    assert ordered_root(raws) == header[4]
    receipts = consensus_receipts(raws, [succeeded(gas) for gas in block["gas"]])
    assert ordered_root(receipts) == header[5]
    assert sum(block["gas"]) == int.from_bytes(header[10], "big")


@pytest.mark.parametrize("block", VECTORS["blocks"])
def test_the_fields_stand_where_ethereum_has_them(block: dict) -> None:
    theirs, _ = whole(block)
    assert keccak256(rlp.encode(theirs)).hex0x == block["hash"]
    hashes = {at: Hash32(theirs[at]) for at in (0, 3, 4, 5, 13)}
    numbers = {at: int.from_bytes(theirs[at], "big") for at in (8, 9, 10, 11, 15)}
    ours = Header(
        parent_hash=hashes[0],
        state_root=hashes[3],
        transactions_root=hashes[4],
        receipts_root=hashes[5],
        logs_bloom=theirs[6],
        height=Height(numbers[8]),
        gas_limit=Gas(numbers[9]),
        gas_used=Gas(numbers[10]),
        time=UnixSeconds(numbers[11]),
        generation=Hash32(bytes(32)),
        mix_hash=hashes[13],
        base_fee=Wei(numbers[15]),
    )
    fields = rlp.decode(ours.encode())
    assert len(fields) == len(theirs) == 16
    for at in set(range(16)) - FREE:
        assert fields[at] == theirs[at], at
    assert theirs[1] == NO_OMMERS


def test_a_bloom_is_go_ethereums() -> None:
    """Its TestBloomExtensively: a hundred texts in one filter, and the filter's hash."""
    logs = tuple(Log(b"xxxxxxxxxx data %d yyyyyyyyyyyyyy" % at, (), b"") for at in range(100))
    wanted = "0xc8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263"
    assert keccak256(bloom(logs)).hex0x == wanted


def test_a_bloom_has_address_and_topics_and_no_data() -> None:
    address, topic = Address(b"a" * 20), Bytes32(b"t" * 32)
    one = int.from_bytes(bloom((Log(address, (topic,), b"data"),)), "big")
    parts = [bloom((Log(part, (), b""),)) for part in (address, topic)]
    assert one == int.from_bytes(parts[0], "big") | int.from_bytes(parts[1], "big")
    assert bloom(()) == bytes(256)
