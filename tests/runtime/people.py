"""Who appears in the tests of contracts: an owner, an agent, a stranger, and a chain."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import decode, encode

from keymoot.base.fixed import Address, Bytes32, Hash32, RequestId, WalletId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, UnixSeconds, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.contract import Contract
from keymoot.crypto.secp256k1 import address_of_secret, sign
from keymoot.crypto.transactions import request_digest, request_key, signing_hash
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.receipt import Receipt
from keymoot.testing import payments

RECOVERY, TARGET, VAULT = payments.RECOVERY, payments.TARGET, payments.SHOP
policy, payment = payments.policy, payments.payment


@dataclass(slots=True)
class Person:
    """Somebody with a key."""

    name: str

    @property
    def key(self) -> Secret:
        return Secret(self.name.encode().ljust(32, b"."))

    @property
    def address(self) -> Address:
        return address_of_secret(self.key)


OWNER, AGENT, STRANGER = Person("owner"), Person("agent"), Person("stranger")


def calldata(contract: type[Contract], name: str, *arguments: Any) -> bytes:
    method = contract.method(name)
    return method.selector + encode([kind for _, kind in method.inputs], arguments)


@dataclass(slots=True)
class Scenario:
    """A chain in memory on which an owner has a wallet."""

    chain: MemoryChain = field(
        default_factory=lambda: MemoryChain(
            balances={one.address: Wei(10**24) for one in (OWNER, AGENT, STRANGER)}
        )
    )
    wallet: WalletId = field(init=False)
    account: Address = field(init=False)

    def __post_init__(self) -> None:
        made = self.send(OWNER, "create", b"s" * 32, RECOVERY, value=10**20)
        assert made.status == 1, made.error
        wallet, account = decode(["bytes32", "address"], made.output)
        self.wallet, self.account = WalletId(wallet), Address.from_hex(account)

    def raw(
        self,
        who: Person,
        to: Address,
        data: bytes,
        value: int = 0,
        gas: int = 3_000_000,
        kind: int = DYNAMIC_FEE,
    ) -> bytes:
        nonce = self.chain.state().account(who.address).nonce
        tip = Wei(0 if kind == DYNAMIC_FEE else 10**9)
        tx = EvmTransaction(
            kind, LEDGER_CHAIN_ID, nonce, tip, Wei(10**9), Gas(gas), to, Wei(value), data
        )
        return tx.signed_bytes(sign(who.key, signing_hash(tx)))

    def send(
        self,
        who: Person,
        name: str,
        *arguments: Any,
        value: int = 0,
        contract: type[Contract] = Wallets,
    ) -> Receipt:
        data = calldata(contract, name, *arguments)
        return self.chain.send(self.raw(who, contract.ADDRESS, data, value))

    def rule(self, document: dict[str, Any]) -> Receipt:
        version = self.show()[5]
        return self.send(OWNER, "setPolicy", self.wallet, canonical(document), version)

    def grant(self, who: Person = AGENT, seconds: int = 10_000) -> Receipt:
        until = self.chain.block.time + seconds
        return self.send(OWNER, "grant", self.wallet, who.address, until)

    def ready(self, limit: int = 500) -> "Scenario":
        assert self.rule(policy(limit)).status == 1
        assert self.grant().status == 1
        return self

    def request(
        self,
        payload: bytes,
        who: Person = AGENT,
        name: bytes | None = None,
        method: str = SIGN_TRANSACTION,
        seconds: int = 300,
    ) -> tuple[bytes, Hash32]:
        request = Request(
            network=self.chain.block.network,
            wallet=self.wallet,
            request_id=RequestId(name or secrets.token_bytes(32)),
            expires_at=UnixSeconds(self.chain.block.time + seconds),
            method=method,
            payload=payload,
            reply_key=Bytes32(b"r" * 32),
        )
        raw = request.signed_bytes(sign(who.key, request_digest(request)))
        return raw, request_key(who.address, request.request_id)

    def ask(self, transaction: EvmTransaction, who: Person = AGENT) -> tuple[Receipt, Hash32]:
        raw, key = self.request(transaction.unsigned_bytes(), who)
        return self.chain.send(raw), key

    def view(self, name: str, *arguments: Any) -> tuple[Any, ...]:
        method = Wallets.method(name)
        raw = self.chain.ask(Wallets.ADDRESS, calldata(Wallets, name, *arguments))
        return tuple(decode(list(method.outputs), raw))

    def show(self) -> tuple[Any, ...]:
        return self.view("wallet", self.wallet)
