"""Who keeps the keys: exactly the pages of this committee, of this network, of this state."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.pages import HEAD
from keymoot.committee.roots import ECDSA, ROOTS
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.proof.build import prove, prove_cells, prove_committee
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.chain import FollowedChain
from keymoot.proof.committee import ProvenCommittee, check_committee, page_names, page_slot
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof
from keymoot.store.proof import BrokenProof
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT
from tests.proof.altered import alterations, refusal
from tests.proof.world import World


def believe(told: object, world: World) -> ProvenCommittee:
    """What a client does with an answer."""
    bundle = ProofBundle.from_json(told)
    chain = FollowedChain(world.anchor).follow(bundle.shown)
    assert chain.newest is not None
    return check_committee(bundle.proof, chain.newest, world.verifying_key)


def shown(world: World, proof: AccountProof | None = None) -> object:
    header = world.block()
    return ProofBundle(world.certify(header), proof or prove_committee(world.state)).to_json()


def test_members_roots_and_shares_are_proved(world: World) -> None:
    committee = believe(shown(world), world)
    assert committee.header == world.blocks[0]
    assert committee.committee.indices == (1, 2, 3, 4)
    founders = world.genesis.founders()
    assert committee.identities == {at: one.identity for at, one in enumerate(founders, 1)}
    assert committee.vendors == dict.fromkeys(range(1, len(founders) + 1), "simulated")
    for name, root in world.roots.items():
        assert committee.roots[name].encode() == root.encode()
    assert committee.epoch.number == 0


def test_shares_of_a_block_are_held_against_the_root_of_its_own_epoch(world: World) -> None:
    """The block that begins an epoch bound its requests before; later ones nobody has proved."""
    known = believe(shown(world), world)
    header, epoch = replace(known.header, height=Height(9)), known.epoch
    later = replace(known, header=header, epoch=replace(epoch, since_height=Height(5)))
    within = [height for height in range(12) if later.root_at(ECDSA, height) is not None]
    assert within == [6, 7, 8, 9]
    assert later.root_at(ECDSA, 6) is later.roots[ECDSA]
    assert later.root_at(ECDSA, None) is None
    assert later.root_at(ECDSA, "6") is None


@pytest.mark.parametrize("size", [7, 64])
def test_larger_committees(size: int) -> None:
    world = World(size=size)
    assert believe(shown(world), world).committee.size == size


WORLD = World()
TOLD = WORLD.committee_bundle().to_json()


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(TOLD))
    assume(changed is not None)
    said = refusal(lambda: believe(changed, WORLD))
    assert said in {"MALFORMED", "NOT_PROVEN", "BROKEN_PROOF", "NOT_CERTIFIED"}


def test_another_networks_committee_is_refused(world: World) -> None:
    other = World("another")
    told = ProofBundle(world.certify(world.block()), prove_committee(other.state)).to_json()
    with pytest.raises(BrokenProof):
        believe(told, world)


def test_an_old_committee_under_a_new_header_is_refused(world: World) -> None:
    old = prove_committee(world.state)
    world.change({"seat/2": replace(world.seat(2), since=5).encode()})
    with pytest.raises(BrokenProof):
        believe(shown(world, old), world)


def test_another_contracts_pages_are_no_committee(world: World) -> None:
    with pytest.raises(NotProven, match="contract Nodes"):
        believe(shown(world, prove(world.state, Wallets.ADDRESS, [])), world)


def test_pages_that_are_missing_or_too_many_are_refused(world: World) -> None:
    names = list(page_names(world.head))
    world.change({"more": b"page"})
    header = world.certify(world.block())

    def told(some: list[str]) -> object:
        proof = prove_cells(world.state, Nodes.ADDRESS, map(page_slot, some))
        return ProofBundle(header, proof).to_json()

    believe(told(names), world)
    for name in names:
        with pytest.raises(NotProven, match=r"not in the proof|holds 10 pages"):
            believe(told([one for one in names if one != name]), world)
    with pytest.raises(NotProven, match="this one holds 11"):
        believe(told([*names, "more"]), world)


def test_a_state_that_contradicts_its_header_is_refused(world: World) -> None:
    world.change({HEAD.name: replace(world.head, generation=Hash32(b"g" * 32)).encode()})
    with pytest.raises(NotProven, match="another generation"):
        believe(shown(world), world)


def test_pages_that_the_state_does_not_have(world: World) -> None:
    world.change({"seat/3": None})
    with pytest.raises(NotProven, match='no page "seat/3"'):
        believe(shown(world), world)
    with pytest.raises(NotProven, match="no committee"):
        prove_committee(State(MemoryTable(), EMPTY_ROOT))


def test_roots_fit_the_committee_and_the_verifying_key(world: World) -> None:
    other = World("another")
    for kind in ROOTS:
        root = world.roots[kind.name]
        page = f"root/{kind.name}"
        for wrong in (replace(root, degree=root.degree + 1), replace(root, shares=root.shares[:3])):
            world.change({page: rlp.encode(wrong.encode())})
            with pytest.raises(NotProven, match=f"the {kind.name} root is not one"):
                believe(shown(world), world)
        world.change({page: rlp.encode(root.encode())})
    world.change({"root/certificate": rlp.encode(other.roots["certificate"].encode())})
    with pytest.raises(NotProven, match="not the network's verifying key"):
        believe(shown(world), world)


def test_a_root_at_infinity_is_refused(world: World) -> None:
    root = world.roots["derive"]
    _, public, shares = root.encode()
    for place in (bytes((0xC0,)) + bytes(95), bytes(96)):
        world.change({"root/derive": rlp.encode([b"\x02", place, shares])})
        with pytest.raises(Malformed):
            believe(shown(world), world)
        world.change({"root/derive": rlp.encode([b"\x02", public, [place, *shares[1:]]])})
        with pytest.raises(Malformed):
            believe(shown(world), world)


def test_a_verification_share_may_be_the_identity(world: World) -> None:
    # Who deals last in a reshare can make its own share zero: that tells nothing of the others'.
    root = world.roots[ECDSA]
    odd = replace(root, shares=(root.group.identity, *root.shares[1:]))
    world.change({f"root/{ECDSA}": rlp.encode(odd.encode())})
    assert believe(shown(world), world).roots[ECDSA].encode() == odd.encode()


def test_committees_that_nobody_has_are_refused(world: World) -> None:
    for members in ((1, 2, 3), (4, 3, 2, 1), (1, 2, 3, 3), (0, 1, 2, 3), (1, 2, 3, 65)):
        world.change({HEAD.name: replace(world.head, members=members).encode()})
        for member in members:
            world.change({f"seat/{member}": world.seat(1).encode()})
        said = refusal(lambda: believe(shown(world), world))
        assert said in {"BAD_COMMITTEE", "NOT_PROVEN"}
