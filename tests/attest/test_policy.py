"""Policies say what claims have to show; what nobody allowed is refused."""

from dataclasses import replace

import pytest

from keymoot.attest.evidence import Claims, EvidenceRefused, ReportData
from keymoot.attest.policy import AllOf, AnyOf, Binds, DebugOff, Measured, Policy, Vendor
from keymoot.base.fixed import Measurement

CODE, OTHER = Measurement(b"\x01" * 48), Measurement(b"\x02" * 48)
BOUND = ReportData(b"\x03" * 64)
CLAIMS = Claims("simulated", CODE, BOUND, debug=False, simulated=True)
ALL = AllOf((Vendor("simulated"), DebugOff(), AnyOf((Measured(CODE),)), Binds(BOUND)))


def test_claims_that_show_everything_suffice() -> None:
    ALL.check(CLAIMS)
    AnyOf((Measured(OTHER), Measured(CODE))).check(CLAIMS)


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
        ALL.check(replace(CLAIMS, **change))


@pytest.mark.parametrize("policy", [AllOf(()), AnyOf(())])
def test_no_policy_lets_nobody_in(policy: Policy) -> None:
    with pytest.raises(EvidenceRefused, match="no policy"):
        policy.check(CLAIMS)
