"""Proofs that outlive their node: of a receipt, and of anything in one file."""

from keymoot.base.fixed import Hash32, WalletId
from keymoot.base.strict_json import Json
from keymoot.base.units import Height
from keymoot.engine.ledger import Included, Ledger
from keymoot.engine.stored_block import Erased
from keymoot.gateway.errors import REJECTED, RpcError, invalid_params
from keymoot.gateway.parameters import address_of, exactly, hash_of, slots_of
from keymoot.gateway.services import Services
from keymoot.proof.build import prove_cells, prove_committee, prove_wallet
from keymoot.proof.chain import Shown
from keymoot.proof.descent import MAX_LINKS
from keymoot.proof.dossier import Dossier
from keymoot.proof.founding import Founding
from keymoot.proof.receipt import ReceiptProof
from keymoot.proof.state import AccountProof
from keymoot.runtime.receipt import consensus_receipts
from keymoot.store.ordered import ordered_proof

_SUBJECTS = frozenset(("wallet", "account", "slots", "transaction"))


async def receipt(services: Services, params: list[Json]) -> Json:
    """keymoot_receipt: a transaction and its receipt, proved under a certified header."""
    (which,) = exactly(params, 1, 1)
    proof = _receipt(services.ledger, hash_of(which, "hash"))
    return None if proof is None else proof.to_json()


async def dossier(services: Services, params: list[Json]) -> Json:
    """keymoot_proof: founding, header, members, and what was asked for, for `keymoot inspect`."""
    (subject,) = exactly(params, 1, 1)
    if not isinstance(subject, dict) or not subject.keys() <= _SUBJECTS:
        raise invalid_params(
            "an object with any of wallet, account, slots, transaction is expected"
        )
    ledger = services.ledger
    record, newest = ledger.founding_record(), ledger.certified(ledger.height())
    if record is None or newest is None:
        raise RpcError(REJECTED, "the network is being founded: ask again in some seconds")
    wallet, transaction = subject.get("wallet"), subject.get("transaction")
    shown_receipt = None
    if transaction is not None:
        shown_receipt = _receipt(ledger, hash_of(transaction, "transaction"))
        if shown_receipt is None:
            raise RpcError(REJECTED, "unknown transaction: no certified block has that hash")
    name = None if wallet is None else WalletId(hash_of(wallet, "wallet"))
    state = ledger.state()
    return Dossier(
        ledger.network,
        Founding(ledger.genesis.encode(), record.encode()),
        Shown(*newest),
        prove_committee(state),
        None if name is None else (name, prove_wallet(state, name)),
        _account(ledger, subject),
        shown_receipt,
    ).to_json()


def _account(ledger: Ledger, subject: dict[str, Json]) -> AccountProof | None:
    who, slots = subject.get("account"), subject.get("slots", [])
    if who is None:
        if slots:
            raise invalid_params("slots are those of an account: name it")
        return None
    wanted, address = slots_of(slots, "slots", least=0), address_of(who, "account")
    if len(set(wanted)) != len(wanted):
        raise invalid_params("a slot is named once")
    return prove_cells(ledger.state(), address, wanted)


def _receipt(ledger: Ledger, name: Hash32) -> ReceiptProof | None:
    transaction = ledger.transaction(name)
    if transaction is None:
        return None
    height = transaction.block.height
    certified = ledger.certified(height)
    if certified is None or certified[0].height - height > MAX_LINKS:
        raise RpcError(REJECTED, f"no certified block is near block {height}")
    below = range(certified[0].height - 1, height - 1, -1)
    links = tuple(_header(ledger, Height(at)) for at in below)
    raws = _transactions(transaction)
    receipts = consensus_receipts(raws, ledger.receipts(transaction.block))
    return ReceiptProof(
        Shown(*certified),
        links,
        transaction.index,
        tuple(ordered_proof(raws, transaction.index)),
        tuple(ordered_proof(receipts, transaction.index)),
    )


def _transactions(included: Included) -> list[bytes]:
    whole = [raw for raw in included.block.transactions if not isinstance(raw, Erased)]
    if len(whole) != len(included.block.transactions):
        raise RpcError(
            REJECTED,
            f"dealings of block {included.block.height} are erased, so this node proves none of its "
            "receipts: ask one that keeps them",
        )
    return whole


def _header(ledger: Ledger, height: Height) -> bytes:
    header = ledger.header(height)
    if header is None:
        raise RpcError(REJECTED, f"there is no block {height}")
    return header.encode()
