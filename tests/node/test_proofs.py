"""Proofs of a running network, checked with nothing but its id, over a recovery and an epoch."""

import pytest

from keymoot.agent.errors import AnotherNetwork
from keymoot.agent.network import Network
from keymoot.agent.roster import Roster
from keymoot.base.fixed import WalletId
from keymoot.contracts.wallet_errors import NoSuchWallet
from keymoot.crypto.keccak import keccak256
from keymoot.moot.certified import NotCertified
from keymoot.proof.bundle import Bundle
from keymoot.proof.chain import Chain, Shown, read_steps
from keymoot.proof.committee import check_assembly
from keymoot.proof.founding import Founding
from tests.node.running import pay, running, wallet_with_agent
from tests.node.test_epochs import turn


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with running(tmp_path_factory.mktemp("proofs") / "node") as node:
        yield node


def test_everything_follows_from_the_id_and_what_was_seen_is_built_upon(node):
    view, credential, account = wallet_with_agent(node, node.owner())
    pinned = node.network.identity().network
    early = node.network.committee()
    # 1. Founding, committee, wallet.
    founded = Founding.from_json(node.network.call("keymoot_founding")).check(pinned)
    anchor = founded.anchor
    assert anchor.verifying_key == credential.verifying_key
    bundle = Bundle.from_json(node.network.call("keymoot_committee"))
    chain = Chain(anchor).follow(bundle.shown)
    assembly = check_assembly(bundle.proof, chain.newest, anchor.verifying_key)
    founders = [one.identity for one in founded.genesis.founders()]
    assert list(assembly.identities.values()) == founders
    found = node.network.wallet(view.wallet)
    assert (found.record.account, found.record.policy_version) == (view.account, 1)
    assert keccak256(found.policy) == found.record.policy_hash
    with pytest.raises(NoSuchWallet):
        node.network.wallet(WalletId(b"n" * 32))
    # 2. Every block is certified, by itself or by a later one.
    for height in range(founded.record.height + 1, chain.newest.height + 1):
        shown = Shown.from_json(node.network.call("keymoot_certified", hex(height)))
        assert shown.header.height >= height
        shown.check(anchor)
    # 3. The whole tree is killed: a new generation, and it builds on what was seen.
    node.kill()
    node.start()
    account.sign_transaction(pay(1))
    told = node.network.call("keymoot_follow", chain.newest.hash.hex0x)
    for step in read_steps(told):
        chain = chain.follow(step.shown, step.descent)
    late = node.network.committee()
    assert late.head.recoveries > early.head.recoveries
    assert late.header.generation != early.header.generation
    assert chain.newest.generation == late.header.generation
    # 4. An epoch ends: shares are others, keys and members stay.
    turn(node)
    newest = node.network.committee()
    assert newest.epoch.number == early.epoch.number + 1
    assert newest.identities == early.identities
    for name, root in newest.roots.items():
        assert root.group.equal(root.public, early.roots[name].public)
        assert root.encoded_shares() != early.roots[name].encoded_shares()


def test_another_networks_key_certifies_nothing_here(node, tmp_path):
    with running(tmp_path / "other") as other:
        shown = Shown.from_json(other.network.call("keymoot_certified"))
        with pytest.raises(NotCertified):
            shown.check(node.network.anchor())
        roster = Roster(node.network.identity().network, node.network.anchor().verifying_key)
        with pytest.raises(AnotherNetwork) as named:
            roster.assembly(Network(other.url).transport, 30)
        assert named.value.found == other.network.identity().network.hex0x
        assert "not good under the network's verifying key" in str(named.value.__cause__)
