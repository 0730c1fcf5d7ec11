"""A genesis: all of it names the network, and what is none is refused."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import ChainId, UnixNanos, Wei
from keymoot.committee.attestation import Attestation, NodeDemands
from keymoot.committee.genesis import (
    BASE_FEE_WEI,
    MAX_GENESIS_BYTES,
    MAX_PUBLISHED_BYTES,
    Genesis,
    Member,
    NodeAdmission,
)
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


# -- what is demanded of nodes on hardware

DEMANDING = NodeAdmission(NodeDemands(("nitro", "snp", "tdx"), most_per_maker=1), (b"c",), (b"l",))


def test_without_demands_it_has_the_bytes_and_the_name_that_it_always_had() -> None:
    fields = rlp.decode(GENESIS.encode())
    assert len(fields) == 8
    assert GENESIS.admission == NodeAdmission()
    # said aloud it would be another network with the same rules
    aloud = rlp.encode([*fields, rlp.decode(NodeAdmission().encode())])
    with pytest.raises(Malformed, match="left out"):
        Genesis.decode(aloud)


def test_demands_name_the_network_and_stand_on_the_page() -> None:
    made = replace(GENESIS, admission=DEMANDING)
    assert Genesis.decode(made.encode()) == made
    assert made.attestation == Attestation((), True, DEMANDING.demands)
    names = {made.network, GENESIS.network}
    for change in ({"amd_chains": ()}, {"intel_lists": (b"m",)}, {"demands": NodeDemands()}):
        names.add(replace(made, admission=replace(DEMANDING, **change)).network)
    assert len(names) == 5


@pytest.mark.parametrize(
    ("size", "vendors", "development", "most", "met"),
    [
        (4, ("nitro", "snp", "tdx"), True, 1, True),
        (4, ("nitro", "snp", "tdx"), False, 1, False),
        (4, ("nitro", "snp", "tdx"), False, 0, True),
        # two kinds of one maker are one
        (4, ("sgx", "snp", "tdx"), True, 1, False),
        (4, (), True, 1, False),
        # a number beyond the degree counts as the degree
        (4, ("nitro", "snp"), True, 64, False),
        (6, ("nitro", "snp", "tdx"), False, 64, True),
        (6, ("nitro", "snp", "tdx"), False, 1, False),
        (7, ("nitro", "snp", "tdx"), False, 64, False),
        (9, ("nitro", "snp", "tdx"), False, 3, True),
        # these are no committees: nobody founds them
        (3, ("tdx",), False, 1, True),
        (65, ("tdx",), False, 1, True),
    ],
)
def test_a_mix_that_these_makers_cannot_give_is_refused(
    size: int, vendors: tuple[str, ...], development: bool, most: int, met: bool
) -> None:
    asked = replace(
        GENESIS,
        development=development,
        members=tuple(Member(Bytes32(bytes([at]) * 32)) for at in range(size)),
    )
    admission = NodeAdmission(NodeDemands(vendors, most_per_maker=most))
    if met:
        assert replace(asked, admission=admission).admission == admission
    else:
        with pytest.raises(Malformed, match="admit more vendors"):
            replace(asked, admission=admission)


def test_what_vendors_publish_is_bounded() -> None:
    for change in ({"amd_chains": (b"c",) * 9}, {"intel_lists": (bytes(MAX_PUBLISHED_BYTES + 1),)}):
        with pytest.raises(Malformed, match="at most"):
            replace(GENESIS, admission=replace(DEMANDING, **change))
    with pytest.raises(Malformed, match="have the rest posted"):
        NodeAdmission(amd_chains=(bytes(20_000),), intel_lists=(bytes(30_000),))
    for vendors in (("tdx", "snp"), ("tdx", "tdx"), ("acme",), ("simulated",)):
        with pytest.raises(Malformed):
            replace(GENESIS, admission=NodeAdmission(NodeDemands(vendors)))
