"""A wallet: its record, its policy, and an address that follows from the root."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base.fixed import Address, SolanaAddress, WalletId
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import NoSuchWallet
from keymoot.contracts.builtin.wallets.wallet import IN_VAULT
from keymoot.policy.chains.evm.chain import EVM
from keymoot.proof.build import prove, prove_cells, prove_wallet
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import FollowedChain
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof
from keymoot.proof.wallet import ProvenWallet, account_of, check_wallet, wallet_slots
from keymoot.store.state import State
from tests.proof.altered import alterations, refusal
from tests.proof.world import BOOK, POLICY, World


def believe(told: object, world: World, wallet: WalletId) -> ProvenWallet:
    bundle = ProofBundle.from_json(told)
    chain = FollowedChain(world.anchor).follow(bundle.shown)
    assert chain.newest is not None
    return check_wallet(bundle.proof, chain.newest, world.network, wallet, world.roots)


def shown(world: World, proving: Callable[[State], AccountProof]) -> object:
    header = world.block()
    return ProofBundle(world.certify(header), proving(world.state)).to_json()


def of(wallet: WalletId) -> Callable[[State], AccountProof]:
    return lambda state: prove_wallet(state, wallet)


@pytest.mark.parametrize("solana", [False, True])
def test_record_policy_and_address_are_proved(world: World, *, solana: bool) -> None:
    wallet = world.put_wallet(solana=solana)
    found = believe(shown(world, of(wallet)), world, wallet)
    assert found.policy == POLICY
    assert found.record.owner == Address(b"o" * 20)
    assert isinstance(found.record.account, SolanaAddress if solana else Address)
    assert found.header == world.blocks[-1]
    assert found.book == BOOK


def test_a_new_wallet_has_no_policy_and_refuses_everything(world: World) -> None:
    wallet = world.put_wallet(policy=None)
    assert believe(shown(world, of(wallet)), world, wallet).policy is None


def test_that_there_is_no_such_wallet_is_proved_too(world: World) -> None:
    world.put_wallet()
    nobody = WalletId(b"n" * 32)
    with pytest.raises(NoSuchWallet):
        believe(shown(world, of(nobody)), world, nobody)


WORLD = World()
WALLET = WORLD.put_wallet(policy=POLICY * 20)
TOLD = shown(WORLD, of(WALLET))


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(TOLD))
    assume(changed is not None)
    said = refusal(lambda: believe(changed, WORLD, WALLET))
    assert said in {"MALFORMED", "NOT_PROVEN", "BROKEN_PROOF", "NOT_CERTIFIED"}


def test_another_wallet_or_contract_is_refused(world: World) -> None:
    one, other = world.put_wallet("one"), world.put_wallet("other")
    with pytest.raises(NotProven, match="record, policy and book of wallet"):
        believe(shown(world, of(one)), world, other)
    with pytest.raises(NotProven, match="contract Wallets"):
        believe(shown(world, lambda state: prove(state, Nodes.ADDRESS, [])), world, one)
    record = wallet_slots(one)[:2]
    with pytest.raises(NotProven, match="record, policy and book of wallet"):
        believe(shown(world, lambda state: prove_cells(state, Wallets.ADDRESS, record)), world, one)


def test_an_address_that_the_root_does_not_give_is_refused(world: World) -> None:
    stranger = World("another")
    wallet = world.put_wallet("one", account=Address(b"e" * 20))
    with pytest.raises(NotProven, match="does not follow from the network's root"):
        believe(shown(world, of(wallet)), world, wallet)
    # Another network's root gives another address; and one in Vault follows from no root.
    other = account_of(stranger.network, wallet, EVM, stranger.roots)
    assert other != account_of(world.network, wallet, EVM, world.roots)
    vault = world.put_wallet("two", account=Address(b"e" * 20), custody=IN_VAULT)
    found = believe(shown(world, of(vault)), world, vault)
    assert found.record.account == Address(b"e" * 20)


def test_the_policy_is_the_one_that_the_record_names(world: World) -> None:
    wallet = world.put_wallet()
    for policy in (None, POLICY[:-1], POLICY * 9):
        broken = World()
        broken.put_wallet()
        broken.put_policy(wallet, policy)
        with pytest.raises(NotProven, match="policy"):
            believe(shown(broken, of(wallet)), broken, wallet)
