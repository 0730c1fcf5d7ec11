"""Files of proofs of a small network whose keys are known: whole ones, to be altered by tests."""

from dataclasses import replace

from keymoot.base.fixed import Address, Bytes32, Hash32, WalletId
from keymoot.base.units import Gas, Wei
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.proof.build import prove_cells, prove_committee, prove_wallet
from keymoot.proof.chain import Shown
from keymoot.proof.committee import page_slot
from keymoot.proof.dossier import Dossier
from keymoot.proof.receipt import ReceiptProof
from keymoot.runtime.receipt import Log, Receipt, consensus_receipts
from keymoot.store.header import Header
from keymoot.store.ordered import ordered_proof, ordered_root
from tests.proof.world import World

LONG, SHORT, ABSENT = page_slot("seat/1"), page_slot("short"), page_slot("nothing")

TRANSACTIONS = (b"\x4b" + b"request" * 9, b"\xc8" + b"original", b"\x02" + b"transfer" * 50)
"""A request, a legacy transaction and a usual one; nothing here reads what is in them."""


def receipts() -> list[bytes]:
    """Give what the receipts' root commits to."""
    nobody, log = Address(bytes(20)), Log(Address(b"a" * 20), (Bytes32(b"t" * 32),), b"data")
    told = [
        Receipt(Hash32(bytes(32)), nobody, None, at % 2, Gas(21_000), Wei(1), (log,) * at)
        for at in range(len(TRANSACTIONS))
    ]
    return consensus_receipts(TRANSACTIONS, told)


def busy_block(world: World) -> Header:
    """Add a block with three transactions."""
    header = replace(
        world.block(),
        transactions_root=ordered_root(TRANSACTIONS),
        receipts_root=ordered_root(receipts()),
    )
    world.blocks[-1] = header
    return header


def receipt_proof(shown: Shown, index: int, links: tuple[bytes, ...] = ()) -> ReceiptProof:
    """Prove one of the three, under a header that builds on their block by these links."""
    return ReceiptProof(
        shown,
        links,
        index,
        tuple(ordered_proof(TRANSACTIONS, index)),
        tuple(ordered_proof(receipts(), index)),
    )


def whole_dossier(world: World) -> tuple[Dossier, WalletId]:
    """Prove a wallet, an account with slots and a receipt of an uncertified block."""
    wallet = world.put_wallet()
    world.change({"short": b"brief"})
    block = busy_block(world)
    newest = world.certify(world.block())
    return (
        Dossier(
            world.network,
            world.founding(),
            newest,
            prove_committee(world.state),
            (wallet, prove_wallet(world.state, wallet)),
            prove_cells(world.state, Nodes.ADDRESS, [LONG, SHORT, ABSENT]),
            receipt_proof(newest, 2, (block.encode(),)),
        ),
        wallet,
    )


def check_claims(shown: Dossier, whole: Dossier, world: World) -> None:
    """Fail unless a file that holds says nothing else than the whole one: as much, or less.

    A slot may be left out, or its long value; another slot may be named that the same nodes prove
    to be absent, where the state has none.
    """
    assert (shown.network, shown.founding, shown.shown, shown.members) == (
        whole.network,
        whole.founding,
        whole.shown,
        whole.members,
    )
    assert shown.wallet in (None, whole.wallet)
    assert shown.receipt in (None, whole.receipt)
    if shown.account is not None:
        found = shown.account.check(shown.shown.header.state_root)
        for slot, value in found.slots.items():
            assert value == world.state.slot(found.address, slot)
        for slot, blob in found.blobs.items():
            assert blob == world.state.entry(found.address, slot)
