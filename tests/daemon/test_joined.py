"""The daemon over a running network: keys, secrets, signatures, and who gets nothing."""

import json
from dataclasses import replace

import cbor2
import pytest

from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.app_instance import AppInstance, InstanceKeys, simulated
from keymoot.agent.app_secrets import SecretEnvelope
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.owner import new_key
from keymoot.attest.evidence import ReportData
from keymoot.attest.simulated import VENDOR_ROOT, verify_simulated
from keymoot.base.fixed import Measurement
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds, Wei
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.daemon.cbor import encode
from keymoot.daemon.instance_metadata import PREFIX
from keymoot.daemon.joined import MAX_CALL_GAS, RESERVE_WEI, JoinedInstance
from keymoot.testing import payments
from tests.daemon.conftest import Asking
from tests.node.in_memory import in_memory

BUILT, OTHER = Measurement(b"b" * 48), Measurement(b"o" * 48)
POLICY = AppPolicy(measurements=(BUILT,), vendors=("simulated",))
GENERATE = "/rofl/v1/keys/generate"
WISH = {"key_id": "wt3.trading_key", "kind": "secp256k1"}


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with in_memory(tmp_path_factory.mktemp("daemon")) as net:
        yield net


@pytest.fixture(scope="module")
def boss(net):
    made = AppAdmin(net.network, new_key())
    made.network.faucet(made.address)
    return made


def joined(net, app, wallets=(), keys=None) -> JoinedInstance:
    one = AppInstance(net.network, app, keys or InstanceKeys.new(), simulated(BUILT))
    net.network.faucet(one.keys.address)
    return JoinedInstance(one, simulated(BUILT), dict(wallets))


def asking(net, app, wallets=()):
    return Asking(joined(net, app, wallets))


def test_each_instance_of_an_app_gets_the_same_key_and_another_app_another(net, boss):
    app = boss.create(POLICY)
    first, second = asking(net, app), asking(net, app)
    key = first.json("POST", GENERATE, WISH)["key"]
    assert second.json("POST", GENERATE, WISH)["key"] == key
    assert asking(net, boss.create(POLICY)).json("POST", GENERATE, WISH)["key"] != key
    found = {first.json("POST", GENERATE, {**WISH, "kind": kind})["key"] for kind in
             ("raw-256", "raw-384", "ed25519", "secp256k1")}  # fmt: skip
    assert sorted(map(len, found)) == [64, 64, 64, 96]
    domain = {"domain": "", "algorithm": "ed25519"}
    assert first.json("POST", "/v1/GetKey", domain)["key"] == second.json(
        "POST", "/v1/GetKey", domain
    )["key"]  # fmt: skip


def test_a_policy_leaves_nothing_but_signatures(net, boss):
    app = boss.create(replace(POLICY, raw_keys=False))
    ask = asking(net, app)
    refused = ask("POST", GENERATE, WISH)
    assert refused.status == 400
    assert b"gives no keys away" in refused.body
    for method in ("GetKey", "Sign"):
        answer = ask("POST", f"/{method}", {"path": "a", "algorithm": "secp256k1", "data": "00"})
        assert (answer.status, b"gives no keys away" in answer.body) == (400, True)
    # a certificate's key is new each time, and its authority's is this start's
    assert len(ask.json("POST", "/GetTlsKey", {"subject": "x"})["certificate_chain"]) == 2


def test_an_evicted_instance_gets_nothing_with_the_reason(net, boss):
    app = boss.create(POLICY)
    one = joined(net, app)
    ask = Asking(one)
    ask.json("POST", GENERATE, WISH)
    boss.update(app, policy=replace(POLICY, measurements=(OTHER,)))
    refused = ask("POST", GENERATE, WISH)
    assert refused.status == 400
    assert b"does not admit this instance's code" in refused.body
    ask.daemon.registrar.tend()
    (said,) = ask.said
    assert "is not renewed" in said


@pytest.mark.parametrize("raw_keys", [True, False])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/GetTlsKey", {"subject": "x"}),
        ("/v1/IssueCert", {"subject": "x", "usage_ra_tls": True}),
        ("/prpc/Tappd.DeriveKey", {"path": "a", "random_seed": True}),
    ],
)
def test_an_evicted_instance_certifies_nothing_under_the_app(net, boss, path, body, raw_keys):
    """The authority's key is in its memory: whoever trusts the app's authority would trust it."""
    app = boss.create(replace(POLICY, raw_keys=raw_keys))
    ask = asking(net, app)
    assert len(ask.json("POST", path, body)["certificate_chain"]) == 2
    boss.update(app, policy=replace(POLICY, raw_keys=raw_keys, measurements=(OTHER,)))
    # before the registrar has looked, and after it
    for _ in range(2):
        refused = ask("POST", path, body)
        assert (refused.status, b"MEASUREMENT_EVICTED" in refused.body) == (400, True)
        ask.daemon.registrar.look()
    boss.update(app, policy=replace(POLICY, raw_keys=raw_keys, most_per_maker=3))
    ask.daemon.registrar.look()
    ask.daemon.registrar.tend()
    assert ask("POST", path, body).status == 200


def test_the_apps_authority_ends_where_the_app_gives_no_keys_any_more(net, boss):
    app = boss.create(POLICY)
    ask = asking(net, app)

    def authority() -> str:
        return ask.json("POST", "/GetTlsKey", {})["certificate_chain"][1]

    derived = authority()
    assert authority() == derived
    boss.update(app, policy=replace(POLICY, raw_keys=False))
    own = authority()
    assert own != derived
    assert authority() == own
    boss.update(app, policy=POLICY)
    assert authority() == derived


def test_an_instance_that_was_evicted_starts_anew_by_itself(net, boss):
    app = boss.create(POLICY)
    ask = asking(net, app)
    key, first = ask.json("POST", GENERATE, WISH)["key"], ask.daemon.instance.identity.key
    chain = ask.json("POST", "/GetKey", {"path": "a"})["signature_chain"]
    held = net.network.balance(first)
    boss.evict(app, first)
    assert b"has put out this instance" in ask("POST", GENERATE, WISH).body
    ask.daemon.registrar.look()
    out = ask("POST", GENERATE, WISH)
    assert (out.status, b"INSTANCE_EVICTED" in out.body) == (400, True)
    assert ask.json("GET", "/v1/instance")["objection"] == "INSTANCE_EVICTED"
    ask.daemon.registrar.tend()
    told = ask.json("GET", "/v1/instance")
    assert (told["objection"], told["key"] != first.hex0x) == ("", True)
    assert ask.json("POST", GENERATE, WISH)["key"] == key
    assert ask.json("POST", "/GetKey", {"path": "a"})["signature_chain"] != chain
    # it has its tokens with it, but for some gas
    assert net.network.balance(ask.daemon.instance.identity.key) > 0.9 * held


def test_a_registration_that_is_refused_has_its_word(net, boss):
    """The daemon makes new keys for it, so it has to know it from all others."""
    app = boss.create(POLICY)
    one = joined(net, app)
    boss.evict(app, one.identity.key)
    with pytest.raises(NetworkRefused) as caught:
        one.register({})
    assert caught.value.reason == "INSTANCE_EVICTED"
    # without having looked it learns that from the refusal, and is let in under the next keys
    ask = Asking(one)
    ask.daemon.registrar.tend()
    assert ask.daemon.registrar.out == "INSTANCE_EVICTED"
    ask.daemon.registrar.tend()
    assert (ask.daemon.registrar.out, ask("POST", GENERATE, WISH).status) == ("", 200)


def test_an_instance_whose_code_is_admitted_again_registers_again(net, boss):
    app = boss.create(POLICY)
    ask = asking(net, app)
    boss.update(app, policy=replace(POLICY, measurements=(OTHER,)))
    ask.daemon.registrar.look()
    ask.daemon.registrar.tend()
    assert b"MEASUREMENT_EVICTED" in ask("POST", GENERATE, WISH).body
    # the policy is another one now, so an old registration is not enough
    boss.update(app, policy=replace(POLICY, most_per_maker=3))
    ask.daemon.registrar.look()
    assert ask.json("GET", "/v1/instance")["objection"] == "POLICY_TIGHTENED"
    ask.daemon.registrar.tend()
    assert ask("POST", GENERATE, WISH).status == 200


def test_a_wallet_signs_through_the_daemon_as_its_policy_allows(net, boss):
    app = boss.create(POLICY)
    owner = net.owner()
    wallet = owner.create("mine", payments.RECOVERY, Wei(10**18))
    owner.set_policy(wallet.wallet, canonical(payments.policy(10**6)), 0)
    owner.grant_app(wallet.wallet, app, UnixSeconds(wallet.created_at + 10_000))
    ask = asking(net, app, {"mine": wallet.wallet})
    told = ask.json("GET", "/v1/wallets")["wallets"]
    assert [(one["name"], one["address"].lower()) for one in told] == [
        ("mine", wallet.account.hex0x)
    ]
    wish = {
        "type": 2, "chainId": payments.TARGET, "nonce": 0, "maxPriorityFeePerGas": 1,
        "maxFeePerGas": 10, "gas": 21_000, "to": payments.SHOP.hex0x, "value": 5, "data": "0x",
    }  # fmt: skip
    sign = "/v1/wallets/mine/sign/transaction"
    assert ask.json("POST", sign, {"transaction": wish})["rawTransaction"].startswith("0x02")
    stranger = {**wish, "to": "0x" + "99" * 20}
    refused = ask.json("POST", sign, {"transaction": stranger}, status=403)["error"]
    assert (refused["code"], refused["data"]["reason"]) == ("POLICY_REFUSED", "NO_RULE")
    assert refused["provedAt"] > 0
    assert ask.json("GET", "/v1/wallets/mine/policy")["version"] == 1


def test_secrets_are_opened_for_a_live_instance(net, boss):
    app = boss.create(POLICY)
    key = boss.show(app).secrets_key
    sealed = SecretEnvelope.seal(key, "API_KEY", Secret(b"hush")).encode()
    boss.update(app, secrets={"API_KEY": sealed, "second": b"nonsense"})
    opened = joined(net, app).secrets()
    assert {name: one.expose() for name, one in opened.values.items()} == {"API_KEY": b"hush"}
    assert opened.closed == ("second",)


def test_metadata_stand_in_the_registration(net, boss):
    app = boss.create(POLICY)
    ask = asking(net, app)
    assert ask("POST", "/rofl/v1/metadata", {"host": "a"}).status == 200
    key = ask.instance.identity.key
    shown = boss.instance(key)
    assert shown.metadata == {PREFIX + "host": b"a"}
    query = {"method": "rofl.AppInstance", "args": encode({"rak": bytes(key)}).hex()}
    told = cbor2.loads(bytes.fromhex(ask.json("POST", "/rofl/v1/query", query)["data"]))
    assert told["metadata"] == {PREFIX + "host": "a"}
    of_app = {"method": "rofl.App", "args": "a0"}
    told = cbor2.loads(bytes.fromhex(ask.json("POST", "/rofl/v1/query", of_app)["data"]))
    assert told["policy"]["enclaves"] == [{"mr_enclave": bytes(BUILT), "mr_signer": bytes(32)}]


def test_a_transaction_goes_out_under_the_instances_key(net, boss):
    ask = asking(net, boss.create(POLICY))
    data = {"gas_limit": 0, "to": "0a" * 20, "value": "7", "data": ""}
    told = ask.json("POST", "/rofl/v1/tx/sign-submit", {"tx": {"kind": "eth", "data": data}})
    assert cbor2.loads(bytes.fromhex(told["data"])) == {"ok": b""}
    query = {"method": "evm.Balance", "args": encode({"address": b"\x0a" * 20}).hex()}
    told = cbor2.loads(bytes.fromhex(ask.json("POST", "/rofl/v1/query", query)["data"]))
    assert int.from_bytes(told, "big") == 7


def test_an_agent_leaves_its_instance_what_registrations_cost(net, boss):
    ask = asking(net, boss.create(POLICY))
    held = net.network.balance(ask.instance.identity.key)
    data = {"gas_limit": 0, "to": "0c" * 20, "data": ""}
    for value, status in ((held - RESERVE_WEI + 1, 400), (held - 2 * RESERVE_WEI, 200)):
        body = {"tx": {"kind": "eth", "data": data | {"value": str(value)}}}
        assert ask("POST", "/rofl/v1/tx/sign-submit", body).status == status
    ask.daemon.registrar.register()


def test_an_agent_does_not_burn_what_registrations_cost(net, boss):
    """Gas is paid of the same account."""
    ask = asking(net, boss.create(POLICY))
    held = net.network.balance(ask.instance.identity.key)
    data = {"to": "0c" * 20, "data": ""}

    def sent(gas, value=0):
        body = {"tx": {"kind": "eth", "data": data | {"gas_limit": gas, "value": str(value)}}}
        answer = ask("POST", "/rofl/v1/tx/sign-submit", body)
        return answer.status, answer.body

    status, said = sent(MAX_CALL_GAS + 1)
    assert (status, b"at most 5000000 are spent" in said) == (400, True)
    most = held - RESERVE_WEI - MAX_CALL_GAS * net.network.identity().base_fee
    assert sent(MAX_CALL_GAS, most + 1)[0] == 400
    assert sent(MAX_CALL_GAS, most)[0] == 200
    # nothing but the reserve is left to ask for gas with
    assert sent(MAX_CALL_GAS)[0] == 400


def test_nothing_that_an_agent_asks_for_spends_what_registrations_cost(net, boss):
    """Fees, too: a loop of free calls would put the instance out by its own account."""
    ask = asking(net, boss.create(POLICY))
    one = ask.instance._instance
    held = net.network.balance(one.keys.address)
    net.network.submission().call(
        one.keys.signing, payments.SHOP, b"", Wei(held - RESERVE_WEI), "all but the reserve"
    )
    before = net.network.balance(one.keys.address)
    data = {"gas_limit": 0, "to": "0c" * 20, "data": "", "value": "0"}
    for path, body in (
        ("/rofl/v1/tx/sign-submit", {"tx": {"kind": "eth", "data": data}}),
        (GENERATE, WISH),
        ("/GetKey", {"path": "a"}),
        ("/rofl/v1/metadata", {"host": "b"}),
    ):
        answer = ask("POST", path, body)
        assert (answer.status, b"registrations" in answer.body) == (400, True), answer.body
    assert net.network.balance(one.keys.address) == before
    ask.daemon.registrar.register()


def test_evidence_of_an_agents_bytes_is_believed_and_registers_nobody(net, boss):
    ask = asking(net, boss.create(POLICY))
    quote = bytes.fromhex(ask.json("POST", "/GetQuote", {"report_data": "ab"})["quote"])
    claims = verify_simulated(quote, VENDOR_ROOT, UnixSeconds(1_790_000_000))
    assert claims.report_data == ReportData(b"\xab".ljust(64, b"\0"))
    # what an agent would need to have keys of its own registered
    told = json.loads(ask("POST", "/GetQuote", {"report_data": registration_of(net).hex()}).body)
    assert "registration" in told["error"]


def registration_of(net) -> ReportData:
    """Give report data that register an instance, as its client makes them."""
    made = []

    def produce(report):
        made.append(report)
        return simulated(BUILT)(report)

    boss = AppAdmin(net.network, new_key())
    net.network.faucet(boss.address)
    one = AppInstance(net.network, boss.create(POLICY), InstanceKeys.new(), produce)
    net.network.faucet(one.keys.address)
    one.register()
    return made[0]
