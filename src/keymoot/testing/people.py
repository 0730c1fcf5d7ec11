"""Who uses a network in memory: an owner with a wallet, and an agent that asks for signatures.

What they send and how they put answers together is what real clients do; only the way to the
node is a call.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from keymoot.agent.ecdsa_combiner import EcdsaCombiner, assembled
from keymoot.agent.share import ReleasedSignature
from keymoot.agent.share_collection import CollectedAnswers, TooFewShares
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Hash32, RequestId, WalletId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, UnixSeconds, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.contract import Contract
from keymoot.crypto import hpke
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import address_of_secret, private_key, sign
from keymoot.crypto.transactions import request_digest, request_key, signing_hash, wallet_id
from keymoot.engine.ledger import Included, Ledger
from keymoot.node.wiring import Node
from keymoot.runtime.query import Query
from keymoot.testing.payments import RECOVERY, payment, policy

_SALT = b"run".ljust(32, b".")
_VERSION = 5
"""Where `Wallets.wallet` gives the policy's version."""

_QUOTA = Wei(10**20)
_GAS = Gas(3_000_000)
_LONG_SECONDS = 10**6
_SOON_SECONDS = 0.25


class NotDone(AssertionError):
    """A transaction of a run's own did not succeed, or was not included in time."""


class WalletOwner:
    """Somebody with a wallet."""

    def __init__(self, rng: Random) -> None:
        self._key, self.agent = (private_key(rng.randbytes(48)) for _ in range(2))
        self.address = address_of_secret(self._key)
        self.wallet: WalletId = wallet_id(self.address, _SALT)
        self.account = Address(bytes(20))
        """The wallet's address, once it is made."""
        self._turn = asyncio.Lock()

    async def send(
        self,
        node: Node,
        name: str,
        *arguments: Any,
        value: Wei = Wei(0),
        contract: type[Contract] = Wallets,
        seconds: float = 60.0,
    ) -> Included:
        """Call a contract, and wait for the certified block; NotDone where it failed or is late."""
        ledger, method = node.membership.ledger, contract.method(name)
        async with self._turn:
            transaction = EvmTransaction(
                DYNAMIC_FEE,
                ledger.genesis.chain_id,
                ledger.pending_nonce(self.address),
                Wei(0),
                ledger.genesis.base_fee,
                _GAS,
                contract.ADDRESS,
                value,
                method.encode(arguments),
            )
            signature = sign(self._key, signing_hash(transaction))
            sent = await ledger.submit(transaction.signed_bytes(signature))
            included = await ledger.wait(sent, seconds)
        if included is None:
            raise NotDone(f"{name} was not included within {seconds:.0f} s")
        if included.receipt.status != 1:
            raise NotDone(f"{name} failed: {included.receipt.error}")
        return included

    async def set_up(self, node: Node, most: int) -> None:
        """Make a wallet whose agent may pay up to `most` wei a day."""
        drip = node.services.faucet
        if drip is None:
            raise NotDone("this is no development network")
        await drip(self.address)
        made = await self.send(node, "create", _SALT, RECOVERY, value=_QUOTA)
        self.account = Address(made.receipt.output[-20:])
        await self.limit(node, most)
        await self.grant(node)

    async def limit(self, node: Node, most: int) -> Included:
        """Let the agent pay up to `most` wei a day, and nobody else."""
        ledger = node.membership.ledger
        view = Wallets.method("wallet")
        asked = Query(Wallets.ADDRESS, view.encode([self.wallet]))
        version = view.decode_result(ledger.query(asked, ledger.height()))[_VERSION]
        return await self.send(node, "setPolicy", self.wallet, canonical(policy(most)), version)

    async def grant(self, node: Node) -> Included:
        """Let the agent ask, for longer than a run lasts."""
        until = UnixSeconds(node.membership.ledger.now() + _LONG_SECONDS)
        return await self.send(node, "grant", self.wallet, address_of_secret(self.agent), until)

    async def revoke(self, node: Node) -> Included:
        return await self.send(node, "revoke", self.wallet, address_of_secret(self.agent))


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """One request of an agent, and what its answer is read with.

    Attributes:
        raw: The signed request.
        key: Its name on the ledger.
        value: What the payment moves, in wei.
        digest: What is to be signed.
        address: The wallet's.
    """

    raw: bytes
    key: Hash32
    value: int
    digest: Hash32
    address: Address
    _secret: Secret
    _kept: CollectedAnswers = field(default_factory=CollectedAnswers)

    @staticmethod
    def of(ledger: Ledger, owner: WalletOwner, value: int, rng: Random) -> "PaymentRequest":
        secret = Secret(rng.randbytes(32))
        wanted = payment(value, rng.getrandbits(31))
        request = Request(
            network=ledger.network,
            wallet=owner.wallet,
            request_id=RequestId(rng.randbytes(32)),
            expires_at=UnixSeconds(ledger.now() + 300),
            method=SIGN_TRANSACTION,
            payload=wanted.unsigned_bytes(),
            reply_key=hpke.public_key(secret),
        )
        raw = request.signed_bytes(sign(owner.agent, request_digest(request)))
        key = request_key(address_of_secret(owner.agent), request.request_id)
        return PaymentRequest(raw, key, value, signing_hash(wanted), owner.account, secret)

    @property
    def name(self) -> Hash32:
        return keccak256(self.raw)

    async def answered(self, node: Node, seconds: float) -> ReleasedSignature | None:
        """Send it, and get its signature; None where that is refused or does not come in time."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while (left := ends - loop.time()) > 0:
            try:
                await node.membership.ledger.submit(self.raw)
                told = await node.services.shares.release(self.key, min(left, 20.0))
            except KeymootError:
                await asyncio.sleep(_SOON_SECONDS)
                continue
            if told["refusal"] is not None or told["status"] in ("refused", "expired"):
                return None
            if assembled(told):
                try:
                    return self._gathering(node).run(told, self._kept)
                except TooFewShares:
                    if told["lost"]:
                        return None
            await asyncio.sleep(_SOON_SECONDS)
        return None

    def _gathering(self, node: Node) -> EcdsaCombiner:
        known = node.membership.roster.machine().state.seats()
        nodes = {seat: seat_.identity for seat, seat_ in known.items()}
        network = node.membership.ledger.network
        return EcdsaCombiner(network, self.key, nodes, self._secret, self.address)
