"""Evidence of hardware through a running network, under vendors that only tests trust."""

import pytest

from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.app_instance import AppInstance, InstanceKeys
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.owner import new_key
from keymoot.agent.vendor_lists import intel_standing, post_amd_chain, post_intel_lists
from keymoot.attest import vendors
from keymoot.attest.collateral import Standing
from keymoot.base.fixed import Measurement
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.errors import ListsMissing
from keymoot.contracts.builtin.apps.policy import AppPolicy
from tests.attest import amd, intel
from tests.attest.authority import NOW, UNTIL
from tests.node.in_memory import in_memory

INTEL, MILAN = intel.factory(), amd.factory("Milan")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vendors, "intel_root", lambda: INTEL.trusted)
        patch.setattr(vendors, "amd_lines", lambda: (MILAN.line,))
        with in_memory(tmp_path_factory.mktemp("vendors")) as net:
            yield net


def admin_of(net) -> tuple[AppAdmin, object]:
    key = new_key()
    made = AppAdmin(net.network, key)
    made.network.faucet(made.address)
    return made, key


def test_intels_lists_are_posted_and_its_domains_come_in(net):
    boss, key = admin_of(net)
    quote = INTEL.evidence(4, intel.td_body())
    code = INTEL.believed().verify(quote, UnixSeconds(NOW)).measurement
    app = boss.create(AppPolicy(measurements=(code,), vendors=("tdx",)))
    made = AppInstance(
        net.network,
        app,
        InstanceKeys.new(),
        lambda report: INTEL.evidence(4, intel.td_body(report)),
        payer=key,
    )
    with pytest.raises(NetworkRefused, match="has no lists of Intel's"):
        made.register()
    with pytest.raises(ListsMissing):
        intel_standing(net.network, "TDX", intel.FMSPC, "platforms")
    post_intel_lists(net.network, key, intel.as_json(INTEL.collateral()))
    standing, _, until = intel_standing(net.network, "TDX", intel.FMSPC, "platforms")
    assert (standing, until) == (Standing.FRESH, UNTIL)
    assert (made.register().vendor, made.register().objection) == ("tdx", "")
    with pytest.raises(NetworkRefused, match="does not end in"):
        post_intel_lists(net.network, key, intel.as_json(intel.other().collateral()))


def test_amds_chain_is_posted_and_its_guests_come_in(net):
    boss, key = admin_of(net)
    app = boss.create(AppPolicy(measurements=(Measurement(amd.CODE),), vendors=("snp",)))
    made = AppInstance(net.network, app, InstanceKeys.new(), MILAN.evidence, payer=key)
    with pytest.raises(NetworkRefused, match="postAmdChain"):
        made.register()
    issuer, _ = MILAN.issuers["VCEK"]
    post_amd_chain(net.network, key, *issuer.chain)
    assert (made.register().vendor, made.register().objection) == ("snp", "")
