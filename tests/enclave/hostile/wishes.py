"""What people send in a run: requests of every kind, and what stops them."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from keymoot.base.fixed import Address, Hash32, RequestId, WalletId
from keymoot.base.request import ASK_AGAIN, SIGN_SOLANA_TRANSACTION, SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, Nonce, UnixSeconds, Wei
from keymoot.contracts.builtin.keys import Keys, question_of
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.contract import Contract
from keymoot.crypto import hpke
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest, request_key, signing_hash
from keymoot.threshold import derived
from keymoot.threshold.rng import SeededRng
from tests.enclave.hostile.stage import LONG, Stage
from tests.enclave.hostile.tree import Node
from tests.enclave.network import REPLY
from tests.node.solana import payment as solana_payment
from tests.runtime.people import AGENT, OWNER, Person, calldata, payment

_REPLY_KEY = hpke.public_key(REPLY)


@dataclass
class Wishes:
    """Makes transactions, and remembers what may be answered.

    Attributes:
        keys: Names of requests and questions, the oldest first.
        asked: Of these: which requests may be asked for again, and of which wallet.
    """

    stage: Stage
    random: Random
    keys: list[Hash32] = field(default_factory=list)
    asked: list[tuple[Hash32, str]] = field(default_factory=list)
    _sent: dict[bytes, tuple[Person, int]] = field(default_factory=dict)

    def some(self, node: Node, now: int) -> tuple[str, bytes]:
        """Make a transaction for a block on top of `node`; give its kind too."""
        kind = self.random.choices(
            ("ecdsa", "frost", "vault", "again", "derive", "pause", "resume", "revoke", "grant"),
            (9, 6, 4, 3, 2, 1, 3, 1, 3),
        )[0]
        if kind == "again":
            if not self.asked:
                kind = "ecdsa"
            else:
                key, wallet = self.random.choice(self.asked[-12:])
                return kind, self._request(wallet, ASK_AGAIN, bytes(key), now)
        if kind == "derive":
            return kind, self._derive(node, now)
        if kind in self.stage.wallets:
            return kind, self.request(kind, now)
        return kind, self.stop(node, kind, self.random.choice(sorted(self.stage.wallets)))

    def stop(self, node: Node, kind: str, wallet: str) -> bytes:
        """Stop a wallet or its agent, or let it go on."""
        name = self.stage.wallets[wallet]
        if kind in ("pause", "resume"):
            return self._call(node, OWNER, Wallets, kind, name)
        if kind == "revoke":
            return self._call(node, OWNER, Wallets, kind, name, AGENT.address)
        now = self.stage.network.clock.now
        until = now + (30 if self.random.random() < 0.2 else LONG)
        return self._call(node, OWNER, Wallets, kind, name, AGENT.address, until)

    def request(self, wallet: str, now: int) -> bytes:
        """Ask for a payment."""
        value = self.random.randint(1, 10**4)
        if wallet == "frost":
            payload = bytes(solana_payment(self.stage.account, value))
            return self._request(wallet, SIGN_SOLANA_TRANSACTION, payload, now)
        payload = payment(value, value).unsigned_bytes()
        return self._request(wallet, SIGN_TRANSACTION, payload, now)

    def _request(self, wallet: str, method: str, payload: bytes, now: int) -> bytes:
        request = Request(
            network=self.stage.network.genesis.network,
            wallet=WalletId(self.stage.wallets[wallet]),
            request_id=RequestId(self.random.randbytes(32)),
            expires_at=UnixSeconds(now + (20 if self.random.random() < 0.2 else 300)),
            method=method,
            payload=payload,
            reply_key=_REPLY_KEY,
        )
        key = request_key(AGENT.address, request.request_id)
        self.keys.append(key)
        self.asked.append((key, wallet))
        return request.signed_bytes(sign(AGENT.key, request_digest(request)))

    def _derive(self, node: Node, now: int) -> bytes:
        _, to = derived.asker(SeededRng(Secret(self.random.randbytes(32))))
        self.keys.append(Hash32(question_of(OWNER.address, b"login", to.first)))
        return self._call(node, OWNER, Keys, "derive", b"login", to.first, to.second, now + 300)

    def _call(
        self, node: Node, who: Person, contract: type[Contract], name: str, *arguments: Any
    ) -> bytes:
        state = node.readable.state
        nonce = state.account(who.address).nonce
        for each in node.path[node.readable.height + 1 :]:
            assert each is not None
            nonce += sum(raw in self._sent for raw in each.transactions)
        data = calldata(contract, name, *arguments)
        to = Address(contract.ADDRESS)
        limit = Gas(3_000_000)
        transaction = EvmTransaction(
            DYNAMIC_FEE,
            LEDGER_CHAIN_ID,
            Nonce(nonce),
            Wei(0),
            Wei(10**9),
            limit,
            to,
            Wei(0),
            data,
        )
        raw = transaction.signed_bytes(sign(who.key, signing_hash(transaction)))
        self._sent[raw] = who, nonce
        return raw
