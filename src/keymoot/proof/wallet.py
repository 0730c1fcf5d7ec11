"""A wallet, proved: its record, policy and book, and that its address is the network's to sign for.

An address that the assembly keeps is computed here from the root, so that nobody's word stands
between a wallet and the committee that signs for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.base.fixed import Bytes32, NetworkId, SolanaAddress, WalletAddress, WalletId
from keymoot.contracts.wallet import BY_ASSEMBLY, Book, Wallet
from keymoot.contracts.wallet_errors import NoSuchWallet
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of
from keymoot.moot.outcome import path_of
from keymoot.moot.roots import ECDSA, EDDSA
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof
from keymoot.store.header import Header
from keymoot.store.public import public_slot
from keymoot.threshold import derivation
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1


def wallet_slots(wallet: WalletId) -> tuple[Bytes32, Bytes32, Bytes32]:
    """Give the slots of a wallet's record, of its policy and of its book."""
    return public_slot(_record(wallet)), public_slot(_policy(wallet)), public_slot(book_key(wallet))


def account_of(network: NetworkId, wallet: WalletId, root: Root) -> WalletAddress:
    """Compute the address of a wallet that the assembly keeps.

    Args:
        network: The network's id.
        wallet: The wallet's id.
        root: The ECDSA root for one of EVM chains, the Ed25519 root for one on Solana.
    """
    point = derivation.child(root, derivation.tweak(root, network, path_of(wallet)))
    if root.group is EDWARDS25519:
        return SolanaAddress(EDWARDS25519.encode(point))
    return address_of(SECP256K1.encode_uncompressed(point))


@dataclass(frozen=True, slots=True)
class ProvenWallet:
    """A wallet in one certified state; only `check_wallet` makes one.

    Attributes:
        header: The block after which it stands like this.
        wallet: Its id.
        record: Owner, recovery, address, custody, whether it is paused.
        policy: Canonical JSON of its policy; None before the first, when it refuses everything.
        book: Its quota, the length of its log, what was spent of its limits.
    """

    header: Header
    wallet: WalletId
    record: Wallet
    policy: bytes | None
    book: Book


def check_wallet(
    proof: AccountProof,
    header: Header,
    network: NetworkId,
    wallet: WalletId,
    roots: Mapping[str, Root],
) -> ProvenWallet:
    """Give the wallet that a believed header's state has.

    Args:
        proof: Of the contract Wallets and the three slots that `wallet_slots` gives.
        header: Believed (`Chain.follow`).
        network: The network's id.
        wallet: Which one is wanted.
        roots: The network's, by name; their public keys never change.

    Raises:
        BrokenProof: a node is missing, altered or superfluous.
        NoSuchWallet: it is proved that there is none.
        NotProven: another contract or wallet, a policy that is not the one that the record
            names, or an address that the network cannot sign for.
        Malformed: a cell is not what it should be.
    """
    # 1. It is proved of Wallets, under this header: this wallet, and nothing else.
    if proof.address != Wallets.ADDRESS:
        raise NotProven(f"a wallet is proved of the contract Wallets, {Wallets.ADDRESS.hex0x}")
    storage = proof.check(header.state_root)
    if storage.slots.keys() != set(wallet_slots(wallet)):
        raise NotProven(f"the proof is not of record, policy and book of wallet {wallet.hex0x}")
    raw = storage.cell(_record(wallet))
    if raw is None:
        raise NoSuchWallet(wallet)
    record, policy = Wallet.decode(raw), storage.cell(_policy(wallet))
    # 2. The policy is the one that the record names.
    if (policy is None) != (record.policy_version == 0):
        raise NotProven(f"the policy of version {record.policy_version} is not in the state")
    if policy is not None and keccak256(policy) != record.policy_hash:
        raise NotProven("the policy has another hash than the wallet's record names")
    # 3. The address follows from the root of who signs for it.
    if record.custody == BY_ASSEMBLY:
        computed = account_of(network, wallet, roots[EDDSA if record.by_frost else ECDSA])
        if computed != record.account:
            raise NotProven("the wallet's address does not follow from the network's root")
    book = storage.cell(book_key(wallet))
    return ProvenWallet(
        header, wallet, record, policy, Book() if book is None else Book.decode(book)
    )


def _record(wallet: WalletId) -> bytes:
    return Wallets.wallets.slot_key(Bytes32(wallet))


def _policy(wallet: WalletId) -> bytes:
    return Wallets.policies.slot_key(Bytes32(wallet))


def book_key(wallet: WalletId) -> bytes:
    """Give the key of a wallet's book in the store of Wallets."""
    return Wallets.books.slot_key(Bytes32(wallet))
