"""What an annotation says to the ABI: each domain type has one, and is what a contract gets."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from eth_abi.abi import encode

from keymoot.base.errors import Defect, Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, RequestId, SolanaAddress, WalletId
from keymoot.base.units import ChainId, Gas, Height, Seconds, UnixSeconds, Wei
from keymoot.contracts import Context, Contract, Event, PublicMap, uint64, view
from keymoot.contracts.framework.contract import Method
from keymoot.contracts.framework.errors import BadArguments, BadResult
from keymoot.contracts.framework.types import ABI_NAMES, OutOfRange, abi_type, codec_of
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT


class Typed(Contract):
    """Takes and gives domain types."""

    ADDRESS = Address(b"typed".ljust(20, b"\0"))

    @view
    def swap(
        self,
        ctx: Context,
        wallet: WalletId,
        holder: Address,
        until: UnixSeconds,
        height: Height,
        price: Wei,
        names: list[RequestId],
    ) -> tuple[Wei, Height, list[Hash32]]:
        raise AssertionError


SWAP = Typed.method("swap")
KINDS = ["bytes32", "address", "uint64", "uint64", "uint256", "bytes32[]"]


def test_a_signature_follows_from_domain_types() -> None:
    assert SWAP.signature == f"swap({','.join(KINDS)})"
    assert SWAP.outputs == ("uint256", "uint64", "bytes32[]")


def test_arguments_arrive_as_the_types_that_the_method_names() -> None:
    given = (b"w" * 32, b"a" * 20, 2**64 - 1, 7, 2**256 - 1, [b"r" * 32])
    found = SWAP.decode(encode(KINDS, given))
    assert [type(one) for one in found] == [WalletId, Address, int, int, int, list]
    assert type(found[5][0]) is RequestId
    assert found == [*given[:5], [b"r" * 32]]


@pytest.mark.parametrize("at", [2, 3])
def test_a_number_beyond_its_type_is_refused_in_our_own_words(at: int) -> None:
    words = [bytes(32)] * 5
    words[at] = (2**64).to_bytes(32, "big")
    data = b"".join([*words, encode(["uint256", "uint256"], [192, 0])])
    with pytest.raises(BadArguments, match=rf"the word at byte {32 * at} does not fit uint64"):
        SWAP.decode(data)


@pytest.mark.parametrize("result", [(-1, 0, []), (2**256, 0, []), (0, 2**64, []), (0, 0, [b"x"])])
def test_a_result_beyond_its_type_is_refused_and_never_shown(result: tuple[object, ...]) -> None:
    with pytest.raises(BadResult, match=r"does not fit \(uint256,uint64,bytes32\[\]\)"):
        SWAP.encode_result(result)


def test_a_client_reads_results_as_the_same_types() -> None:
    raw = SWAP.encode_result((Wei(5), Height(6), [Hash32(b"h" * 32)]))
    price, height, hashes = SWAP.decode_result(raw)
    assert (price, height, hashes) == (5, 6, [b"h" * 32])
    assert type(hashes[0]) is Hash32


def test_whatever_is_no_type_of_the_table_is_a_defect_when_the_class_is_made() -> None:
    with pytest.raises(Defect, match="has no ABI"):

        class Loose(Contract):
            @view
            def loose(self, ctx: Context, amount: int) -> None:
                raise AssertionError

    for kind in (int, ChainId, dict, object()):
        with pytest.raises(Defect):
            abi_type(kind)


@pytest.mark.parametrize("kind", sorted(ABI_NAMES, key=lambda one: one.__name__))
def test_a_cell_of_each_type_gives_back_what_it_was_given(kind: type) -> None:
    value = {
        "bool": True,
        "bytes": b"\0some",
        "string": "słowo",
        "address": b"a" * 20,
        "bytes21": b"b" * 21,
        "bytes32": b"b" * 32,
        "uint64": 2**64 - 1,
        "uint256": 2**256 - 1,
    }[ABI_NAMES[kind]]
    value = kind(value)
    codec = codec_of(kind)
    found = codec.decode(codec.encode(value))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("kind", "bits"), [(Height, 64), (Gas, 64), (Seconds, 64), (Wei, 256)])
def test_a_cell_takes_no_number_beyond_its_type(kind: type, bits: int) -> None:
    for value in (-1, 2**bits):
        with pytest.raises(OutOfRange, match=f"{value} does not fit uint{bits}"):
            codec_of(kind).encode(value)


def test_a_map_has_the_same_places_under_either_name_of_its_keys() -> None:
    store = PublicStore(Journal(State(MemoryTable(), EMPTY_ROOT)), Typed.ADDRESS, FreeMeter())
    by_wallet, by_bytes = PublicMap("x", WalletId, uint64), PublicMap("x", Bytes32, uint64)
    by_wallet.set(store, WalletId(b"w" * 32), 5)
    assert by_bytes.get(store, Bytes32(b"w" * 32)) == 5


@dataclass(frozen=True, slots=True)
class Told(Event):
    INDEXED: ClassVar[tuple[str, ...]] = ("wallet", "at")
    wallet: WalletId
    account: SolanaAddress
    at: Height
    text: str


def test_an_event_is_read_back_as_it_was() -> None:
    told = Told(WalletId(b"w" * 32), SolanaAddress(b"s" * 32), Height(3), "words")
    topics, data = told.log()
    found = Told.read(topics, data)
    assert found == told
    assert [type(found.wallet), type(found.account)] == [WalletId, SolanaAddress]
    with pytest.raises(Malformed, match="the log is no Told"):
        Told.read(topics[::-1], data)


def test_a_method_encodes_what_it_decodes() -> None:
    method: Method = SWAP
    given = [WalletId(b"w" * 32), Address(b"a" * 20), 1, 2, 3, [RequestId(b"r" * 32)]]
    assert method.decode(method.encode(given)[4:]) == given
