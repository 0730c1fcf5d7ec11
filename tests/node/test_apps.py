"""Apps through a running network: what an instance gets, and what any other does not."""

import time
from dataclasses import replace

import pytest

from keymoot.agent.account import Account
from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.app_instance import AppInstance, InstanceKeys, simulated
from keymoot.agent.app_keys import AppKeys
from keymoot.agent.app_secrets import SecretEnvelope
from keymoot.agent.derived_keys import DerivedKeys
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.owner import new_key
from keymoot.agent.query import QueryReverted
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.submission import TransactionFailed
from keymoot.base.fixed import AppId, Measurement
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.units import Seconds, Wei
from keymoot.contracts.builtin.apps.errors import NoSuchApp, NotRegistered
from keymoot.contracts.builtin.apps.evidence import endorsement_message
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.keys import AppKeyKind
from keymoot.crypto import ed25519
from keymoot.policy.errors import PolicyRefused
from keymoot.testing import payments
from tests.node.in_memory import in_memory

BUILT, OTHER = Measurement(b"b" * 48), Measurement(b"o" * 48)
POLICY = AppPolicy(measurements=(BUILT,), vendors=("simulated",))


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with in_memory(tmp_path_factory.mktemp("apps")) as net:
        yield net


def admin(net) -> AppAdmin:
    made = AppAdmin(net.network, new_key())
    made.network.faucet(made.address)
    return made


def instance(net, app, code=BUILT, keys=None) -> AppInstance:
    made = AppInstance(net.network, app, keys or InstanceKeys.new(), simulated(code))
    made.network.faucet(made.keys.address)
    return made


def wallet_of(net, app):
    owner = net.owner()
    shown = owner.create("mine", payments.RECOVERY, Wei(10**18))
    owner.set_policy(shown.wallet, canonical(payments.policy(10**6)), 0)
    owner.grant_app(shown.wallet, app, shown.created_at + 10_000)
    return owner, shown


def sign(net, one, wallet, amount=5):
    account = Account(one.credential("mine", wallet), net.url)
    return account.sign_transaction(
        {
            "type": 2,
            "chainId": payments.TARGET,
            "nonce": amount,
            "maxPriorityFeePerGas": 1,
            "maxFeePerGas": 10,
            "gas": 21_000,
            "to": payments.SHOP.hex0x,
            "value": amount,
            "data": "0x",
        }
    )


def test_an_instance_signs_with_a_wallet_that_is_granted_to_its_app(net):
    boss = admin(net)
    app = boss.create(POLICY, {"name": b"trader"})
    owner, shown = wallet_of(net, app)
    one = instance(net, app)
    seen = one.register()
    assert (seen.app, seen.measurement, seen.objection) == (app, BUILT, "")
    signed = sign(net, one, shown.wallet)
    assert signed
    (entry,) = owner.log(shown.wallet)
    assert (entry["app"], entry["measurement"]) == (app.text, BUILT.hex0x)
    # other code is not let in, and what is not registered signs nothing
    other = instance(net, app, OTHER)
    with pytest.raises(NetworkRefused, match="runs other code"):
        other.register()
    with pytest.raises(PolicyRefused) as caught:
        sign(net, other, shown.wallet)
    assert caught.value.reason == "NO_SUCH_CREDENTIAL"
    # a measurement that is taken out evicts at once
    policy = boss.show(app).policy
    boss.update(app, policy=replace(policy, measurements=(OTHER,)))
    with pytest.raises(PolicyRefused, match="does not admit this instance's code") as caught:
        sign(net, one, shown.wallet)
    assert caught.value.reason == "MEASUREMENT_EVICTED"


def test_keys_of_an_app_are_the_same_in_every_instance_and_nowhere_else(net):
    boss = admin(net)
    app = boss.create(POLICY)
    first, second = instance(net, app), instance(net, app)
    for one in (first, second):
        one.register()

    def key(one, kind=AppKeyKind.RAW_256, name=b"wt3"):
        return AppKeys(net.network, one.keys, app).derive(name, kind).expose()

    mine = key(first)
    assert mine == key(second)
    found = {kind: key(first, kind) for kind in AppKeyKind}
    assert [len(found[kind]) for kind in AppKeyKind] == [32, 48, 32, 32, 32]
    assert len({one[:32] for one in found.values()}) == len(AppKeyKind)
    assert key(first, name=b"other") != mine
    # an account's own key of that name, and another app's, are others
    assert DerivedKeys(net.network, first.keys.signing).derive(b"wt3").expose() != mine
    other = boss.create(POLICY)
    stranger = instance(net, other)
    stranger.register()
    theirs = AppKeys(net.network, stranger.keys, other).derive(b"wt3", AppKeyKind.RAW_256)
    assert theirs.expose() != mine
    with pytest.raises(TooFewShares):
        AppKeys(net.network, stranger.keys, app).derive(b"wt3", AppKeyKind.RAW_256)
    # no keys at all, where the app says so; what is asked by nobody registered
    boss.update(app, policy=replace(POLICY, raw_keys=False))
    with pytest.raises(TransactionFailed, match="gives no keys away") as caught:
        key(first)
    assert caught.value.reason == "RAW_KEYS_REFUSED"
    with pytest.raises(TransactionFailed, match="is no instance"):
        key(instance(net, app))


def test_secrets_that_are_sealed_to_an_app_open_in_its_live_instances(net):
    boss = admin(net)
    app = boss.create(POLICY)
    to = boss.show(app).secrets_key
    sealed = {
        "GROK_KEY": SecretEnvelope.seal(to, "GROK_KEY", Secret(b"g" * 40)).encode(),
        "spoiled": b"\xa0",
    }
    boss.update(app, secrets=sealed)
    assert boss.show(app).secrets == sealed
    one = instance(net, app)
    one.register()
    opened, broken = one.secrets()
    assert {name: value.expose() for name, value in opened.items()} == {"GROK_KEY": b"g" * 40}
    assert broken == ("spoiled",)
    with pytest.raises(QueryReverted, match="NotRegistered"):
        instance(net, app).secrets()
    boss.update(app, policy=replace(POLICY, measurements=(OTHER,)))
    with pytest.raises(QueryReverted, match="MeasurementEvicted"):
        one.secrets()
    assert boss.show(app).secrets == sealed, "what is not given stays"


def test_a_registration_is_renewed_on_a_network_where_nobody_asked_for_long(net):
    boss = admin(net)
    app = boss.create(replace(POLICY, lifetime_seconds=Seconds(600)))
    one = instance(net, app)
    first = one.register(metadata={"net.oasis.app.name": b"trader"})
    assert first.metadata == {"net.oasis.app.name": b"trader"}
    time.sleep(700)
    assert one.instance(one.keys.address).expires_at == first.expires_at
    # the newest block is too old for evidence: the attempt makes the one that the next names
    second = one.register()
    assert second.objection == ""
    assert second.registered_at >= first.registered_at + 700
    assert second.metadata == {}


def test_what_speaks_against_an_instance_is_shown_and_told_alike(net):
    boss = admin(net)
    node = Secret(b"n" * 32)
    policy = replace(POLICY, endorsers=(ed25519.public_key(node),))
    app = boss.create(policy)
    owner, shown = wallet_of(net, app)

    def endorse(report):
        return bytes(ed25519.public_key(node)) + ed25519.sign(node, endorsement_message(report))

    plain = instance(net, app)
    with pytest.raises(NetworkRefused, match="has endorsed the instance"):
        plain.register()
    one = AppInstance(net.network, app, plain.keys, simulated(BUILT), endorse=endorse)
    assert one.register(Seconds(100)).objection == ""
    boss.evict(app, one.keys.address)
    assert one.instance(one.keys.address).objection == "INSTANCE_EVICTED"
    with pytest.raises(PolicyRefused) as caught:
        sign(net, one, shown.wallet)
    assert caught.value.reason == "INSTANCE_EVICTED"
    other = AppInstance(net.network, app, InstanceKeys.new(), simulated(BUILT), endorse=endorse)
    net.network.faucet(other.keys.address)
    other.register()
    assert sign(net, other, shown.wallet)
    owner.revoke_app(shown.wallet, app)
    with pytest.raises(PolicyRefused) as caught:
        sign(net, other, shown.wallet, 6)
    assert caught.value.reason == "APP_NOT_GRANTED"
    boss.freeze(app)
    with pytest.raises(NetworkRefused, match="only the app's admin"):
        boss.update(app, policy=POLICY)
    with pytest.raises(NoSuchApp):
        boss.show(AppId(b"a" * 21))
    with pytest.raises(NotRegistered):
        boss.instance(boss.address)


def test_an_app_that_is_removed_has_no_instances(net):
    boss = admin(net)
    app = boss.create(POLICY)
    one = instance(net, app)
    one.register()
    boss.remove(app)
    assert boss.show(app).removed
    assert one.instance(one.keys.address).objection == "APP_REMOVED"
    with pytest.raises(NetworkRefused, match="was removed by its admin"):
        one.register()
