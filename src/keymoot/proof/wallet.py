"""A wallet, proved: its record, policy and book, and that its address is the network's to sign for.

An address that the committee keeps is computed here from the root, so that nobody's word stands
between a wallet and the committee that signs for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.base.fixed import Bytes32, NetworkId, WalletAddress, WalletId
from keymoot.committee.wallet_key import wallet_key
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import NoSuchWallet
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, Book, Wallet
from keymoot.crypto.keccak import keccak256
from keymoot.policy.chains.chain import Chain
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof
from keymoot.store.header import Header
from keymoot.store.public import public_slot
from keymoot.threshold.root import Root


def wallet_slots(wallet: WalletId) -> tuple[Bytes32, Bytes32, Bytes32]:
    """Of its record, of its policy and of its book."""
    return public_slot(_record(wallet)), public_slot(_policy(wallet)), public_slot(book_key(wallet))


def account_of(
    network: NetworkId, wallet: WalletId, chain: Chain, roots: Mapping[str, Root]
) -> WalletAddress:
    """Compute the address of a wallet that the committee keeps."""
    key = wallet_key(chain.scheme, roots[chain.scheme.root], network, wallet)
    return chain.address_of(key)


@dataclass(frozen=True, slots=True)
class ProvenWallet:
    """A wallet in one certified state; only `check_wallet` makes one.

    Attributes:
        header: The block after which it stands like this.
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
    """Give the wallet that a believed header's state has (`FollowedChain.follow`).

    `proof` is of the contract Wallets and the three slots that `wallet_slots` gives; `roots` are by
    name, and their public keys never change.

    Raises:
        NoSuchWallet: it is proved that there is none.
        NotProven: another contract or wallet, a policy that is not the one that the record
            names, or an address that the network cannot sign for.
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
    if record.custody == BY_COMMITTEE:
        computed = account_of(network, wallet, record.chain, roots)
        if computed != record.account:
            raise NotProven("the wallet's address does not follow from the network's root")
    book = storage.cell(book_key(wallet))
    return ProvenWallet(
        header, wallet, record, policy, Book() if book is None else Book.decode(book)
    )


def _record(wallet: WalletId) -> bytes:
    return Wallets.wallets.slot_key(wallet)


def _policy(wallet: WalletId) -> bytes:
    return Wallets.policies.slot_key(wallet)


def book_key(wallet: WalletId) -> bytes:
    return Wallets.books.slot_key(wallet)
