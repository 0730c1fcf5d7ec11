"""The founding record: all founders, their first sessions, real points, this network."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import ChainId, Height, UnixNanos
from keymoot.committee.founding_record import MAX_RECORD_BYTES, FoundingRecord, NotFounded
from keymoot.committee.genesis import BASE_FEE_WEI, Founder, Genesis, Member
from keymoot.committee.roots import CERTIFICATE, DERIVE, ECDSA, ROOTS
from keymoot.committee.seat import SessionKeys
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.secp256k1 import SECP256K1

VECTORS = Path(__file__).parent / "vectors" / "founding_record.json"
INFINITY = bytes((0xC0,)) + bytes(95)


def seed(name: str, seat: int) -> Secret:
    return Secret(keccak256(f"{name} {seat}".encode()))


def point(name: str, seat: int) -> bytes:
    return SECP256K1.encode(SECP256K1.base(SECP256K1.scalar(seed(name, seat).expose())))


def member(seat: int) -> Member:
    identity = ed25519.public_key(seed("identity", seat))
    session = SessionKeys(ed25519.public_key(seed("session", seat)), point("session sealing", seat))
    founder = Founder(identity, point("sealing", seat), session)
    return Member(identity, founder)


def genesis(size: int = 4, members: tuple[Member, ...] | None = None) -> Genesis:
    return Genesis(
        ChainId(0x5AFD),
        development=True,
        base_fee=BASE_FEE_WEI,
        time=UnixNanos(1_800_000_000 * 10**9),
        members=members or tuple(member(seat) for seat in range(1, size + 1)),
        allocations=(),
    )


GENESIS = genesis()


def terms() -> FoundingRecord:
    roots = {
        kind.name: kind.group.encode(kind.group.base_public(7 + place))
        for place, kind in enumerate(ROOTS)
    }
    return FoundingRecord(GENESIS.network, Height(9), Hash32(b"b" * 32), roots)


def complete() -> FoundingRecord:
    record = terms()
    for seat in (3, 1, 4, 2):
        record = record.signed(seat, record.sign(seed("session", seat)))
    return record


def test_all_founders_make_it():
    record = complete()
    record.check(GENESIS)
    assert FoundingRecord.decode(record.encode()).digest() == terms().digest()
    FoundingRecord.decode(record.encode()).check(GENESIS)
    assert record.verifying_key == record.roots[CERTIFICATE]


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_one_founder_fewer_makes_none(missing):
    record = complete()
    record = replace(
        record, signatures={at: s for at, s in record.signatures.items() if at != missing}
    )
    with pytest.raises(NotFounded, match="all 4 founders"):
        record.check(GENESIS)


def test_another_seat_makes_none():
    record = complete()
    record = record.signed(5, record.signatures[1])
    with pytest.raises(NotFounded, match="nobody else"):
        record.check(GENESIS)


def test_one_founders_signature_serves_for_no_other():
    record = complete()
    with pytest.raises(NotFounded, match="seat 2"):
        record.signed(2, record.signatures[1]).check(GENESIS)


@pytest.mark.parametrize("key", ["identity", "another session"])
def test_only_the_session_that_the_genesis_lists_signs(key):
    record = complete()
    with pytest.raises(NotFounded, match="seat 3"):
        record.signed(3, record.sign(seed(key, 3))).check(GENESIS)


def test_another_networks_record_is_refused():
    record = complete()
    other = genesis(5)
    with pytest.raises(NotFounded, match="network"):
        record.check(other)
    # the same founders, another network: nothing of the record serves there
    later = replace(GENESIS, time=UnixNanos(GENESIS.time + 1))
    with pytest.raises(NotFounded, match="session"):
        replace(record, network=later.network).check(later)


@pytest.mark.parametrize(
    "change",
    [
        {"height": Height(10)},
        {"block": Hash32(b"x" * 32)},
    ],
)
def test_every_term_is_signed(change):
    with pytest.raises(NotFounded, match="session"):
        replace(complete(), **change).check(GENESIS)


@pytest.mark.parametrize("kind", ROOTS, ids=lambda kind: kind.name)
def test_every_root_is_signed(kind):
    record = complete()
    other = kind.group.encode(kind.group.base_public(1_000))
    with pytest.raises(NotFounded, match="session"):
        replace(record, roots={**record.roots, kind.name: other}).check(GENESIS)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        (CERTIFICATE, INFINITY),
        (DERIVE, INFINITY),
        (CERTIFICATE, b""),
        (CERTIFICATE, bytes(96)),
        (ECDSA, bytes(33)),
        ("eddsa", bytes((1,)) + bytes(31)),
        ("eddsa", bytes(32)),
        (CERTIFICATE, b"\x80" + bytes(95)),
    ],
)
def test_no_root_is_at_infinity_or_no_point(name, bad):
    record = complete()
    with pytest.raises(Malformed):
        replace(record, roots={**record.roots, name: bad})
    fields = rlp.decode(record.encode())
    for item in fields[3]:
        if item[0] == name.encode():
            item[1] = bad
    with pytest.raises(Malformed):
        FoundingRecord.decode(rlp.encode(fields))


def test_roots_are_all_of_ours_and_no_others():
    record = complete()
    roots = dict(record.roots)
    del roots[ECDSA]
    with pytest.raises(Malformed, match="names the roots"):
        replace(record, roots=roots)
    with pytest.raises(Malformed, match="names the roots"):
        replace(record, roots={**record.roots, "taproot": record.roots[ECDSA]})


class TestThereIsOneWayToWriteIt:
    def spoilt(self, change):
        fields = rlp.decode(complete().encode())
        change(fields)
        return rlp.encode(fields)

    @pytest.mark.parametrize(
        "change",
        [
            lambda f: f[4].reverse(),
            lambda f: f[3].reverse(),
            lambda f: f[4].append(f[4][-1]),
            lambda f: f[4].insert(0, [uint(0), b"\x01" * 63]),
            lambda f: f.append(b""),
            lambda f: f[3].append(f[3][0]),
            lambda f: f[3].__setitem__(1, f[3][0]),
            lambda f: f.__setitem__(1, b"\x00\x09"),
            lambda f: f[4][0].__setitem__(0, b"\x00\x01"),
            lambda f: f[4][0].__setitem__(1, b"short"),
            lambda f: f.__setitem__(0, b"short"),
            lambda f: f[3][0].__setitem__(0, b"\xff"),
        ],
    )
    def test_in_order_and_each_once(self, change):
        with pytest.raises(Malformed):
            FoundingRecord.decode(self.spoilt(change))

    def test_bounded(self):
        with pytest.raises(Malformed, match="at most"):
            FoundingRecord.decode(bytes(MAX_RECORD_BYTES + 1))
        with pytest.raises(Malformed):
            replace(terms(), signatures=dict.fromkeys(range(1, 66), bytes(64)))

    def test_the_largest_fits(self):
        record = replace(terms(), signatures=dict.fromkeys(range(1, 65), bytes(64)))
        assert len(record.encode()) <= MAX_RECORD_BYTES
        assert FoundingRecord.decode(record.encode()) == record


@pytest.mark.parametrize("place", ["identity", "session", "sealing", "session sealing"])
def test_no_key_of_a_genesis_stands_twice(place):
    """Else one enclave would sign the record for two founders."""
    first, second = member(1), member(2)
    founder = second.founder
    if place == "identity":
        founder = replace(founder, identity=first.founder.session.signing)
    elif place == "session":
        founder = replace(
            founder, session=replace(founder.session, signing=first.founder.session.signing)
        )
    elif place == "sealing":
        founder = replace(founder, sealing=first.founder.sealing)
    else:
        founder = replace(founder, session=replace(founder.session, sealing=first.founder.sealing))
    bad = genesis(members=(first, replace(second, founder=founder), member(3), member(4)))
    with pytest.raises(Malformed, match="two places"):
        bad.founders()
    with pytest.raises(Malformed, match="two places"):
        replace(complete(), network=bad.network).check(bad)


def test_a_network_without_a_committee_has_no_record():
    bare = genesis(members=tuple(replace(one, founder=None) for one in GENESIS.members))
    with pytest.raises(Malformed, match="no committee"):
        replace(complete(), network=bare.network).check(bare)


def test_vector():
    """Written once, by this test's keys; a stranger's code reads the same."""
    known = json.loads(VECTORS.read_text())
    record = FoundingRecord.decode(bytes.fromhex(known["record"]))
    network = Genesis.decode(bytes.fromhex(known["genesis"]))
    record.check(network)
    assert network.network.hex() == known["network"]
    assert record.digest().hex() == known["digest"]
    assert record.verifying_key.hex() == known["verifying_key"]
    assert record == complete()
