"""The fake network with a ledger: balances aside, what an owner's calls need.

It reads real transactions and the real ABI of Wallets, and keeps one wallet.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from keymoot.base import hexes
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId, RequestId, WalletId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.transaction import NAMES_NETWORK, decode_signed
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.wallet import IN_VAULT, Book, GrantedCredential, Wallet
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key, sender_of, wallet_id
from keymoot.proof.build import prove_log, prove_wallet
from keymoot.proof.receipt import ReceiptProof
from keymoot.store.public import public_slot
from tests.agent.fake_network import NETWORK, WORLD, FakeNetwork
from tests.proof.world import a_record

GENESIS = WORLD.genesis.encode()
FOUNDING = WORLD.founding().to_json()


@dataclass(frozen=True)
class Kept:
    """The one wallet."""

    owner: Address
    recovery: Address
    account: Address
    quota: int
    paused: bool = False
    version: int = 0
    policy: bytes = b""


@dataclass
class FakeLedger(FakeNetwork):
    """A ledger with one wallet.

    Attributes:
        fail: Word for a receipt that failed, or None.
        lines: Entries of the wallet's log.
        custody: IN_VAULT, for its address follows from no root.
        calls: Every call of Wallets: sender, method, arguments, value.
    """

    wallets: dict[bytes, Kept] = field(default_factory=dict)
    calls: list[tuple[Address, str, tuple[Any, ...], int]] = field(default_factory=list)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    proofs: dict[str, ReceiptProof] = field(default_factory=dict)
    fail: str | None = None
    genesis: bytes = GENESIS
    network: NetworkId = NETWORK
    founding: Any = field(default_factory=lambda: FOUNDING)
    custody: int = IN_VAULT
    lines: int = 2
    drips: list[str] = field(default_factory=list)

    def rpc(self, method: str, params: list[Any]) -> dict[str, Any]:
        """Answer one call."""
        plain: dict[str, Any] = {
            "eth_chainId": "0x5afd",
            "eth_gasPrice": "0x3b9aca00",
            "eth_estimateGas": "0x186a0",
            "eth_getTransactionCount": hexes.quantity(len(self.calls)),
            "eth_getBalance": "0x64",
            "keymoot_network": {
                "network": self.network.hex0x,
                "chainId": "0x5afd",
                "genesis": hexes.data(self.genesis),
                "simulated": True,
            },
        }
        if method == "keymoot_founding":
            return {"result": self.founding}
        if method == "keymoot_committee":
            return {"result": self.world.committee_bundle().to_json()}
        if method == "keymoot_wallet":
            return {"result": self._proven(WalletId.from_hex(params[0]))}
        if method in plain:
            return {"result": plain[method]}
        if method == "keymoot_log":
            wallet = WalletId.from_hex(params[0])
            self._put(wallet)
            page = int(params[1], 16), int(params[2], 16)
            return {"result": self.bundle(lambda state: prove_log(state, wallet, *page))}
        if method == "keymoot_getOutcome":
            return {"result": {"errorCode": "NOT_OWNER", "error": self.fail}}
        if method == "eth_getTransactionReceipt":
            return {"result": self.receipts.get(params[0])}
        if method == "keymoot_receipt":
            found = self.proofs.get(params[0])
            return {"result": found and found.to_json()}
        if method == "keymoot_faucet":
            self.drips.append(params[0])
            return {"result": "0x" + "00" * 32}
        return super().rpc(method, params)

    def submit(self, raw: bytes) -> dict[str, Any]:
        """Take an owner's transaction, or a request."""
        if raw[:1] == b"\x4b":
            return super().submit(raw)
        name = keccak256(raw).hex0x
        if name in self.receipts:
            return {"error": {"code": -32000, "message": "nonce too low"}}
        transaction, signature = decode_signed(raw)
        assert (transaction.nonce, transaction.to) == (len(self.calls), Wallets.ADDRESS)
        # It is for this network, and no other one takes it.
        (named,) = transaction.access_list
        assert (named.address, named.slots) == (NAMES_NETWORK, (Bytes32(self.network),))
        sender = sender_of(transaction, signature)
        method = Wallets.METHODS[transaction.data[:4]]
        arguments = method.decode(transaction.data[4:])
        self.calls.append((sender, method.name, tuple(arguments), transaction.value))
        status = "0x1" if self.fail is None else "0x0"
        if self.fail is None:
            self._apply(sender, method.name, arguments, transaction.value)
        proof = self.proofs[name] = self.world.receipt_of(raw, int(status, 16))
        number = hexes.quantity(proof.shown.header.height)
        receipt = {"transactionHash": name, "blockNumber": number, "status": status}
        self.receipts[name] = receipt
        return {"result": self.receipts[name]}

    def _apply(self, sender: Address, name: str, arguments: list[Any], value: int) -> None:
        if name == "create":
            salt, recovery = arguments
            wallet = wallet_id(sender, salt)
            self.wallets[wallet] = Kept(sender, recovery, self.address, value)
            return
        wallet = WalletId(arguments[0])
        kept = self.wallets[wallet]
        if name == "fund":
            self.wallets[wallet] = replace(kept, quota=kept.quota + value)
        if name in ("pause", "resume"):
            self.wallets[wallet] = replace(kept, paused=name == "pause")
        if name == "setPolicy":
            self.wallets[wallet] = replace(kept, version=kept.version + 1, policy=arguments[1])
        if name in ("grant", "revoke"):
            until = arguments[2] if name == "grant" else 0
            granted = GrantedCredential(
                UnixSeconds(12), UnixSeconds(until), revoked=name == "revoke"
            )
            slot = public_slot(Wallets.credentials.slot_key(wallet + arguments[1]))
            self.world.put_cells(Wallets.ADDRESS, {slot: granted.encode()})
        if name == "withdraw":
            _, payload, request_id, expires_at, reply_key, *_ = arguments
            request = Request(
                NETWORK,
                wallet,
                RequestId(request_id),
                UnixSeconds(expires_at),
                SIGN_TRANSACTION,
                payload,
                Bytes32(reply_key),
            )
            key = request_key(sender, request.request_id)
            self.answers[key] = self.decide(key, request)

    def _proven(self, wallet: WalletId) -> Any:
        self._put(wallet)
        return self.bundle(lambda state: prove_wallet(state, wallet))

    def _put(self, wallet: WalletId) -> None:
        kept = self.wallets.get(wallet)
        if kept is not None:
            policy = kept.policy or None
            digest = keccak256(policy) if policy else Hash32(bytes(32))
            record = Wallet(
                kept.owner,
                kept.recovery,
                kept.account,
                kept.paused,
                kept.version,
                digest,
                UnixSeconds(11),
                self.custody,
            )
            book = Book(quota=kept.quota, log_length=self.lines)
            self.world.put_record(wallet, record, policy, book)
            self.world.put_log(a_record(wallet, at, b'{"no":"rule"}') for at in range(self.lines))
