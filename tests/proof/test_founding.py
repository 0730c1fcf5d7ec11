"""From the id to the verifying key: the record of this very genesis, signed by all."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import NetworkId
from keymoot.committee.founding_record import FoundingRecord, NotFounded
from keymoot.crypto.keccak import keccak256
from keymoot.proof.errors import NotProven
from keymoot.proof.founding import Founding
from tests.proof.altered import alterations, refusal
from tests.proof.world import FIRST, World

WORLD = World()
FOUNDING = WORLD.founding()


def test_who_knows_the_id_has_the_verifying_key() -> None:
    founded = Founding.from_json(FOUNDING.to_json()).check(WORLD.network)
    assert founded.anchor.verifying_key == WORLD.verifying_key
    assert founded.anchor.network == WORLD.network
    assert founded.anchor.founded == (9, FIRST)
    assert founded.genesis == WORLD.genesis


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(FOUNDING.to_json()))
    assume(changed is not None)
    said = refusal(lambda: Founding.from_json(changed).check(WORLD.network))
    assert said in {"MALFORMED", "NOT_PROVEN", "NOT_FOUNDED", "BAD_POINT"}


def test_another_networks_founding_is_refused() -> None:
    other = World("another").founding()
    with pytest.raises(NotProven, match="not that of network"):
        other.check(WORLD.network)
    with pytest.raises(NotFounded, match="is of network"):
        replace(FOUNDING, record=other.record).check(WORLD.network)


def test_a_record_that_one_founder_did_not_sign_is_refused() -> None:
    record = FoundingRecord.decode(FOUNDING.record)
    for left_out in WORLD.committee.indices:
        some = {at: one for at, one in record.signatures.items() if at != left_out}
        less = replace(record, signatures=some).encode()
        with pytest.raises(NotFounded, match="all 4 founders"):
            replace(FOUNDING, record=less).check(WORLD.network)


def test_other_roots_need_all_signatures_anew() -> None:
    ours, other = FoundingRecord.decode(FOUNDING.record), World("another").record(9, FIRST)
    for name in ours.roots:
        forged = replace(ours, roots={**ours.roots, name: other.roots[name]}).encode()
        with pytest.raises(NotFounded, match="signature of seat 1"):
            replace(FOUNDING, record=forged).check(WORLD.network)


def test_a_root_at_infinity_is_no_root() -> None:
    ours = FoundingRecord.decode(FOUNDING.record)
    for name in ("certificate", "derive"):
        raw = ours.encode().replace(ours.roots[name], bytes((0xC0,)) + bytes(95))
        with pytest.raises(Malformed, match="infinity"):
            replace(FOUNDING, record=raw).check(WORLD.network)


def test_the_id_is_the_hash_of_canonical_bytes() -> None:
    # The flag "development" as 3 is read as false, and written as 0: two ids of one genesis.
    fields = rlp.decode(FOUNDING.genesis)
    assert isinstance(fields, list)
    fields[1] = b"\x03"
    raw = rlp.encode(fields)
    network = NetworkId(keccak256(raw))
    said = refusal(lambda: replace(FOUNDING, genesis=raw).check(network))
    assert said in {"NOT_PROVEN", "MALFORMED"}
