"""Proofs of a running network, checked with nothing but its id, over a recovery and an epoch."""

import pytest

from keymoot.agent.errors import AnotherNetwork
from keymoot.agent.network import Network
from keymoot.agent.proven_state import ProvenState
from keymoot.base.fixed import WalletId
from keymoot.committee.certified import NotCertified
from keymoot.contracts.builtin.wallets.errors import NoSuchWallet
from keymoot.crypto.keccak import keccak256
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import FollowedChain, Shown, read_steps
from keymoot.proof.committee import check_committee
from keymoot.proof.founding import Founding
from tests.node.in_memory import in_memory, turn
from tests.node.running import pay, wallet_with_agent


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with in_memory(tmp_path_factory.mktemp("proofs")) as node:
        yield node


def test_everything_follows_from_the_id_and_what_was_seen_is_built_upon(node):
    view, credential, account = wallet_with_agent(node, node.owner())
    pinned = node.network.identity().network
    early = node.network.committee()
    # 1. Founding, committee, wallet.
    founded = Founding.from_json(node.network.call("keymoot_founding")).check(pinned)
    anchor = founded.anchor
    assert anchor.verifying_key == credential.verifying_key
    bundle = ProofBundle.from_json(node.network.call("keymoot_committee"))
    chain = FollowedChain(anchor).follow(bundle.shown)
    machine = check_committee(bundle.proof, chain.newest, anchor.verifying_key)
    founders = [one.identity for one in founded.genesis.founders()]
    assert list(machine.identities.values()) == founders
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


def test_what_an_owner_sends_after_a_recovery_is_proved_to_build_on_what_was_seen(node):
    owner = node.owner()
    wallet, _, _ = wallet_with_agent(node, owner)
    early = owner.network.committee()
    node.kill()
    node.start()
    # Nothing was read since: the receipt itself is what the new generation shows first.
    owner.pause(wallet.wallet)
    assert owner.show(wallet.wallet).paused
    assert owner.network.committee().head.recoveries > early.head.recoveries
    # The same for a block that is read by its height.
    node.kill()
    node.start()
    height = node.world.ledger.height()
    assert owner.network.certified(height).height == height


def test_another_networks_key_certifies_nothing_here(node, tmp_path):
    with in_memory(tmp_path / "other", seed=8, url="http://127.0.0.1:2") as other:
        shown = Shown.from_json(other.network.call("keymoot_certified"))
        with pytest.raises(NotCertified):
            shown.check(node.network.anchor())
        roster = ProvenState(node.network.identity().network, node.network.anchor().verifying_key)
        with pytest.raises(AnotherNetwork) as named:
            roster.committee(Network(other.url).nodes.line[0], 30)
        assert named.value.shown == other.network.identity().network.hex0x
        assert "not good under the network's verifying key" in str(named.value.__cause__)
