"""Policies say what claims have to show; what nobody allowed is refused."""

from pathlib import Path

import pytest

import keymoot
from keymoot.attest.claims import Claims, Tcb
from keymoot.attest.evidence import EvidenceRefused, ReportData
from keymoot.attest.policy import (
    AdvisoriesIn,
    AllOf,
    AnyOf,
    Binds,
    ChipIn,
    DebugOff,
    EvidencePolicy,
    MadeWithin,
    MeasurementIs,
    NotMigratable,
    NotSimulated,
    RegisterIs,
    TcbAtLeast,
    TcbStatusIn,
    Vendor,
    baseline,
)
from keymoot.base.errors import Defect
from keymoot.base.fixed import Measurement

CODE, OTHER = Measurement(b"\x01" * 48), Measurement(b"\x02" * 48)
BOUND = ReportData(b"\x03" * 64)
MAKERS = ["nitro.py", "simulated.py", "snp.py", "tdx.py"]
GOOD = {
    "vendor": "simulated",
    "measurement": CODE,
    "report_data": BOUND,
    "valid_until": 2_000,
    "simulated": True,
}
CLAIMS = Claims.verified(**GOOD)
ALL = AllOf((Vendor("simulated"), DebugOff(), AnyOf((MeasurementIs(CODE),)), Binds(BOUND)))


def test_claims_that_show_everything_suffice() -> None:
    ALL.check(CLAIMS)
    AnyOf((MeasurementIs(OTHER), MeasurementIs(CODE))).check(CLAIMS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"vendor": "tdx"}, "vouches"),
        ({"measurement": OTHER}, "other code"),
        ({"debug": True}, "debug"),
        ({"report_data": ReportData(bytes(64))}, "other keys"),
    ],
)
def test_one_thing_that_differs_is_refused(change: dict, why: str) -> None:
    with pytest.raises(EvidenceRefused, match=why):
        ALL.check(Claims.verified(**GOOD | change))


@pytest.mark.parametrize("policy", [AllOf(()), AnyOf(())])
def test_no_policy_lets_nobody_in(policy: EvidencePolicy) -> None:
    with pytest.raises(EvidenceRefused, match="no policy"):
        policy.check(CLAIMS)


TCB = Tcb("SWHardeningNeeded", ("INTEL-SA-00615",), {"microcode": 115})
REAL = GOOD | {
    "simulated": False,
    "tcb": TCB,
    "registers": {"RTMR3": bytes(48)},
    "chip": b"chip",
    "made_at": 1_000,
}
STATUSES = ("UpToDate", "SWHardeningNeeded")


@pytest.mark.parametrize(
    "policy",
    [
        NotSimulated(),
        TcbStatusIn(STATUSES),
        AdvisoriesIn(("INTEL-SA-00615",)),
        TcbAtLeast({"microcode": 115}),
        RegisterIs("RTMR3", bytes(48)),
        ChipIn(frozenset([b"chip"])),
        MadeWithin(1_300, 300),
        MadeWithin(700, 300),
        baseline([OTHER, CODE], BOUND),
    ],
)
def test_what_is_admitted_by_name_suffices(policy: EvidencePolicy) -> None:
    policy.check(Claims.verified(**REAL))


@pytest.mark.parametrize(
    ("policy", "change", "why"),
    [
        (NotSimulated(), {"simulated": True}, "SIMULATED"),
        (TcbStatusIn(), {}, "SWHardeningNeeded, admitted is UpToDate: update"),
        (TcbStatusIn(STATUSES), {"tcb": Tcb()}, "Unrated"),
        (AdvisoriesIn(("INTEL-SA-00289",)), {}, "open to INTEL-SA-00615"),
        (TcbAtLeast({"microcode": 116}), {}, "microcode of the machine's TCB is 115"),
        (TcbAtLeast({"snp": 1}), {}, "not told"),
        (RegisterIs("RTMR3", b"\x01" * 48), {}, "RTMR3 is 00"),
        (RegisterIs("PCR0", bytes(48)), {}, "not told"),
        (ChipIn(frozenset([b"other"])), {}, "not one that is admitted"),
        (ChipIn(frozenset([b"other"])), {"chip": None}, "does not say on which"),
        (MadeWithin(1_301, 300), {}, "301 s old, at most 300 s"),
        (MadeWithin(699, 300), {}, "anew"),
        (MadeWithin(1_000, 300), {"made_at": None}, "demand a nonce"),
        (NotMigratable(), {"migratable": True}, "migrated"),
        (baseline([CODE], BOUND), {"migratable": True}, "migrated"),
        (baseline([CODE], BOUND), {"debug": True}, "debug"),
        (baseline([OTHER], BOUND), {}, "other code"),
        (baseline([], BOUND), {}, "no policy"),
        (baseline([CODE], ReportData(bytes(64))), {}, "another nonce"),
    ],
)
def test_what_is_not_admitted_is_refused(policy: EvidencePolicy, change: dict, why: str) -> None:
    with pytest.raises(EvidenceRefused, match=why):
        policy.check(Claims.verified(**REAL | change))


def test_claims_are_made_by_verifiers_only() -> None:
    with pytest.raises(Defect, match="made by a verifier"):
        Claims("simulated", CODE, BOUND)
    source = Path(keymoot.__file__).parent
    makers = [one.name for one in sorted(source.rglob("*.py")) if ".verified(" in one.read_text()]
    assert makers == MAKERS
