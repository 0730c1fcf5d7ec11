"""Nobody deals to an enclave, or takes one in, that has not shown what it runs."""

from dataclasses import replace

import pytest

from keymoot.attest.evidence import EvidenceRefused
from keymoot.attest.simulated import quote
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.committee.attestation import (
    MAX_MEASUREMENTS,
    Attestation,
    founder_report,
    join_report,
)
from keymoot.committee.keygen.record import Phase
from keymoot.committee.messages import Kind, NumberedBody
from tests.committee.members import ready
from tests.committee.network import CODE, NETWORK, CommitteeNetwork, bound_of

EVIL = Measurement(b"\xee" * 48)
OTHER_NETWORK = NetworkId(b"\x77" * 32)
NOW = UnixSeconds(1_800_000_000)
ADMITS = Attestation((CODE,), simulated=True)
ONE = CommitteeNetwork().founders()[0]
KEYS = bound_of(ONE)
REPORT = founder_report(**KEYS)
GOOD = quote(CODE, REPORT)
ELSE = CommitteeNetwork(seed=2).founders()[0]


def refusals(net, kind):
    """How messages of a kind were refused."""
    return {type(why) for one, why in net.refused if one.kind is kind}


def test_good_evidence_is_admitted():
    ADMITS.check(GOOD, REPORT, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"network": OTHER_NETWORK},
        {"identity": ELSE.identity},
        {"sealing": ELSE.sealing},
        {"session": replace(ONE.session, signing=ELSE.session.signing)},
        {"session": replace(ONE.session, sealing=ELSE.session.sealing)},
    ],
)
def test_one_key_or_the_network_swapped_is_refused(change):
    with pytest.raises(EvidenceRefused, match="other keys"):
        ADMITS.check(quote(CODE, founder_report(**{**KEYS, **change})), REPORT, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"network": OTHER_NETWORK},
        {"nonce": Bytes32(bytes(32))},
        {"identity": ELSE.identity},
        {"sealing": ELSE.sealing},
        {"session": replace(ONE.session, signing=ELSE.session.signing)},
        {"session": replace(ONE.session, sealing=ELSE.session.sealing)},
    ],
)
def test_of_a_newcomer_too_everything_is_bound(change):
    given = {"nonce": Bytes32(b"n" * 32), **KEYS}
    report = join_report(**given)
    ADMITS.check(quote(CODE, report), report, NOW)
    with pytest.raises(EvidenceRefused, match="other keys"):
        ADMITS.check(quote(CODE, join_report(**{**given, **change})), report, NOW)


def test_another_nonce_is_refused():
    other = join_report(nonce=Bytes32(bytes(32)), **KEYS)
    with pytest.raises(EvidenceRefused, match="nonce"):
        ADMITS.check(quote(CODE, other), REPORT, NOW)


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (quote(EVIL, REPORT), "other code"),
        (quote(CODE, REPORT, debug=True), "debug"),
        (quote(CODE, REPORT, Secret(bytes(32))), "did not sign"),
    ],
    ids=["code", "debug", "signature"],
)
def test_what_it_claims_has_to_be_admitted(evidence, why):
    with pytest.raises(EvidenceRefused, match=why):
        ADMITS.check(evidence, REPORT, NOW)


def test_simulated_evidence_counts_only_where_the_genesis_says_so():
    with pytest.raises(EvidenceRefused, match="not admitted"):
        Attestation((CODE,), simulated=False).check(GOOD, REPORT, NOW)


def test_a_genesis_without_measurements_admits_nobody():
    with pytest.raises(EvidenceRefused, match="no policy"):
        Attestation((), simulated=True).check(GOOD, REPORT, NOW)


def test_every_flipped_bit_is_refused():
    for bit in range(8 * len(GOOD)):
        raw = bytearray(GOOD)
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Malformed, EvidenceRefused)):
            ADMITS.check(bytes(raw), REPORT, NOW)


def test_measurements_stand_once_each_in_order():
    for wrong in ((EVIL, CODE), (CODE, CODE)):
        with pytest.raises(Malformed, match="do not rise"):
            Attestation.decode(Attestation(wrong).encode())
    many = tuple(Measurement(bytes([at]) * 48) for at in range(MAX_MEASUREMENTS + 1))
    with pytest.raises(Malformed, match="at most"):
        Attestation.decode(Attestation(many).encode())


def test_the_page_has_one_form():
    """A 2 would be read as a no, and another page would say the same."""
    with pytest.raises(Malformed, match="0 or 1"):
        Attestation.decode(rlp.encode([[CODE], uint(2)]))


class TestFounders:
    def test_nobody_deals_before_all_have_shown_evidence_however_long_it_takes(self):
        net = CommitteeNetwork(attested=False, silent={4})
        net.settle()
        for _ in range(4):
            net.pass_time(100)
        assert net.ledger.keygen.record.phase is Phase.EVIDENCE
        assert not [one for one in net.log if one.kind is Kind.KEYGEN_HASH]

    def test_one_that_runs_other_code_founds_nothing(self):
        net = CommitteeNetwork(attested=False, code={3: EVIL})
        net.settle()
        assert net.ledger.keygen.record.phase is Phase.EVIDENCE
        assert net.ledger.keygen.record.said == {1, 2, 4}
        assert [(one.seat, type(why)) for one, why in net.refused] == [(3, EvidenceRefused)]

    def test_evidence_of_another_founder_is_not_ones_own(self):
        net = CommitteeNetwork(attested=False)
        first, second, *_ = net.tasks()
        assert (first.kind, first.seat, second.seat) == (Kind.EVIDENCE, 1, 2)
        taken = net.message(2, Kind.EVIDENCE, first.body)
        assert net.refusal(taken) == "EvidenceRefused"

    @pytest.mark.parametrize("evidence", [b"", b"\xc0", bytes(16_385)])
    def test_what_is_no_evidence_is_refused(self, evidence):
        net = CommitteeNetwork(attested=False)
        body = NumberedBody(0, evidence).encode()
        assert net.refusal(net.message(1, Kind.EVIDENCE, body)) == "Malformed"

    def test_all_with_evidence_found_the_network(self):
        net = CommitteeNetwork(attested=False)
        net.settle()
        assert net.ledger.state.ready
        assert not refusals(net, Kind.EVIDENCE)


class TestNewcomers:
    def test_four_that_run_other_code_are_not_taken_in_whoever_invited_them(self):
        net = ready()
        for seat in (5, 6, 7, 8):
            net.code[seat] = EVIL
            net.arrive(seat)
            net.admit(seat)
        net.settle()
        assert refusals(net, Kind.JOIN) == {EvidenceRefused}
        assert not net.ledger.epochs.membership.page.joining
        net.turn()
        net.settle()
        assert net.ledger.state.seats().keys() == {1, 2, 3, 4}

    def test_evidence_of_an_earlier_epoch_is_none_in_this_one(self):
        net = ready()
        before = net.ledger.epochs.join_nonce(net.ledger.epochs.current)
        net.turn()
        net.settle()
        net.arrive(5)
        identity, fresh = net.participants[5].identity, net.participants[5].identity.quote
        session, sealing = net.participants[5].session.public, net.participants[5].keys.points[1]
        old = join_report(NETWORK, before, identity.public, sealing, session)
        identity.quote = lambda _: fresh(old)
        net.admit(5)
        net.settle()
        assert refusals(net, Kind.JOIN) == {EvidenceRefused}
        assert not net.ledger.epochs.membership.page.joining
