"""Vault: keys that are born in confidential cells, sign inside the enclave, and never leave.

Custody in its literal form: a key is drawn from in-block
randomness, kept in a `ConfidentialMap`, fetched through `confidential_store()`, used to
sign, and only the signature comes back. A key belongs to the contract or account that
had it made; a wallet's belongs to Wallets, and nobody else's call reaches it.

Values that an owner would put in from outside are not offered yet: calldata is public
until it can be encrypted to the network.
"""

from dataclasses import dataclass
from typing import ClassVar

from keymoot.base.fixed import Address, Bytes32, Hash32, Signature65
from keymoot.base.secret import Secret
from keymoot.contracts.framework.cells import ConfidentialMap, PublicMap
from keymoot.contracts.framework.context import Context, Mode
from keymoot.contracts.framework.contract import Contract, built_in, call, internal, view
from keymoot.contracts.framework.errors import Anonymous, ContractError, KeyUseRefused
from keymoot.contracts.framework.event import Event
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of, private_key, public_key, sign

BIRTH_GAS = 60_000
"""Gas for drawing a key and computing its public key."""

_ENTROPY_BYTES = 48


class KeyExists(ContractError, code="KEY_EXISTS"):
    """A key of that name was born before; keys are never replaced."""

    SIGNATURE = "KeyExists(bytes32)"

    def __init__(self, name: Bytes32) -> None:
        super().__init__(f"a key named {name.hex0x} exists: choose another name", name)


class NoSuchKey(ContractError, code="NO_SUCH_KEY"):
    """The caller has no key of that name."""

    SIGNATURE = "NoSuchKey(bytes32)"

    def __init__(self, name: Bytes32) -> None:
        super().__init__(f"the caller has no key named {name.hex0x}", name)


@dataclass(frozen=True, slots=True)
class KeyBorn(Event):
    """A key was born; `account` is its Ethereum address."""

    INDEXED: ClassVar[tuple[str, ...]] = ("owner", "account")
    owner: Address
    name: Bytes32
    account: Address


class Vault(Contract):
    """Keeps keys in confidential cells, each for the one who had it made."""

    ADDRESS = built_in(1)
    ERRORS = (KeyExists, NoSuchKey)
    EVENTS = (KeyBorn,)

    keys = ConfidentialMap("keys", Bytes32, Bytes32)
    accounts = PublicMap("accounts", Bytes32, Address)

    @call(gas_ceiling=300_000)
    def birth(self, ctx: Context, name: Bytes32) -> Address:
        """Make a key for the caller under `name`; give its address."""
        place = _place(ctx.sender, name)
        if self.accounts.get(ctx.public_store(), place) is not None:
            raise KeyExists(name)
        ctx.charge(BIRTH_GAS)
        secret = private_key(ctx.random(_ENTROPY_BYTES).expose())
        account = address_of(public_key(secret))
        self.keys.set(ctx.confidential_store(), place, Bytes32(secret.expose()))
        self.accounts.set(ctx.public_store(), place, account)
        ctx.emit(KeyBorn(_known(ctx.sender), name, account))
        return account

    @view
    def account_of(self, ctx: Context, owner: Address, name: Bytes32) -> Address:
        """Give the address of a key; the zero address where there is none."""
        account = self.accounts.get(ctx.public_store(), _place(owner, name))
        return account or Address(bytes(20))

    @internal
    def sign(self, ctx: Context, name: Bytes32, digest: Hash32) -> Signature65:
        """Sign a digest with the caller's key. No transaction and no query reaches this.

        It has no ABI, and works in the second step of custody only: the release of a
        request that a certified block has bound.

        Raises:
            KeyUseRefused: in any other mode.
            NoSuchKey: the caller has none of that name.
        """
        place = _place(ctx.sender, name)
        if ctx.mode is not Mode.RELEASE:
            raise KeyUseRefused
        secret = self.keys.get(ctx.confidential_store(), place)
        if secret is None:
            raise NoSuchKey(name)
        return sign(Secret(secret), digest)


def _known(sender: Address | None) -> Address:
    if sender is None:
        raise Anonymous
    return sender


def _place(owner: Address | None, name: Bytes32) -> Bytes32:
    return Bytes32(keccak256(_known(owner) + name))
