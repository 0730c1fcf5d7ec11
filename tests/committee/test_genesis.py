"""A genesis: all of it names the network, and what is none is refused."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.base.units import ChainId, UnixNanos, Wei
from keymoot.committee.genesis import BASE_FEE_WEI, MAX_GENESIS_BYTES, Genesis, Member
from tests.committee.network import CommitteeNetwork

MEMBERS = tuple(Member(one.identity, one) for one in CommitteeNetwork().founders())
GENESIS = Genesis(
    chain_id=ChainId(31),
    development=True,
    base_fee=BASE_FEE_WEI,
    time=UnixNanos(1_800_000_000_000_000_000),
    members=MEMBERS,
    allocations=((Address(b"a" * 20), Wei(5)),),
)


def test_it_comes_back_as_it_was() -> None:
    assert Genesis.decode(GENESIS.encode()) == GENESIS
    assert len(GENESIS.founders()) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": ChainId(32)},
        {"development": False},
        {"base_fee": Wei(1)},
        {"time": UnixNanos(1)},
        {"members": MEMBERS[::-1]},
        {"allocations": ((Address(b"a" * 20), Wei(6)),)},
        {"epoch_seconds": 60},
    ],
    ids=lambda change: next(iter(change)),
)
def test_all_of_it_names_the_network(change: dict) -> None:
    assert replace(GENESIS, **change).network != GENESIS.network


def test_either_all_members_have_a_seat_or_none() -> None:
    some = replace(GENESIS, members=(*MEMBERS[:3], Member(MEMBERS[3].identity_key)))
    with pytest.raises(Malformed, match="every member"):
        some.founders()
    none = replace(GENESIS, members=tuple(Member(one.identity_key) for one in MEMBERS))
    assert none.founders() == ()


def test_a_sealing_key_is_a_point() -> None:
    """Nobody can deal to what is none, and a genesis is for ever."""
    fields = rlp.decode(GENESIS.encode())
    fields[4][2][1][0] = b"\x02" + b"\xff" * 32
    with pytest.raises(Malformed):
        Genesis.decode(rlp.encode(fields))


def test_it_is_not_longer_than_one_may_be() -> None:
    allocations = tuple((Address(at.to_bytes(20, "big")), Wei(1)) for at in range(3_000))
    raw = replace(GENESIS, allocations=allocations).encode()
    assert len(raw) > MAX_GENESIS_BYTES
    with pytest.raises(Malformed, match="at most"):
        Genesis.decode(raw)
