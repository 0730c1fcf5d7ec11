"""Who uses a network in memory: an owner with a wallet, and an agent that asks for signatures.

What they send and how they put answers together is what real clients do; only the way to the
node is a call.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from keymoot.agent.gathering import Kept, TooFewShares
from keymoot.agent.moot import Assembling, assembled
from keymoot.agent.share import Released
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Hash32, RequestId, WalletId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, UnixSeconds, Wei
from keymoot.contracts.contract import Contract
from keymoot.contracts.wallets import Wallets
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


class Owner:
    """Somebody with a wallet."""

    def __init__(self, dice: Random) -> None:
        """Make keys for an owner and for their agent."""
        self._key, self.agent = (private_key(dice.randbytes(48)) for _ in range(2))
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
        """Call a contract in a transaction, and wait until it is in a certified block.

        Raises:
            NotDone: it failed, or was not included in time.
            Refused: it was not let in.
        """
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
            found = await ledger.wait(sent, seconds)
        if found is None:
            raise NotDone(f"{name} was not included within {seconds:.0f} s")
        if found.receipt.status != 1:
            raise NotDone(f"{name} failed: {found.receipt.error}")
        return found

    async def set_up(self, node: Node, most: int) -> None:
        """Make a wallet whose agent may pay up to `most` wei a day.

        Raises:
            NotDone: something of that was not done.
        """
        drip = node.services.faucet
        if drip is None:
            raise NotDone("this is no development network")
        await drip(self.address)
        made = await self.send(node, "create", _SALT, RECOVERY, value=_QUOTA)
        self.account = Address(made.receipt.output[-20:])
        await self.limit(node, most)
        await self.grant(node)

    async def limit(self, node: Node, most: int) -> Included:
        """Let the agent pay up to `most` wei a day, and nobody else.

        Raises:
            NotDone: that was not done.
        """
        ledger = node.membership.ledger
        view = Wallets.method("wallet")
        asked = Query(Wallets.ADDRESS, view.encode([self.wallet]))
        version = view.decode_result(ledger.query(asked, ledger.height()))[_VERSION]
        return await self.send(node, "setPolicy", self.wallet, canonical(policy(most)), version)

    async def grant(self, node: Node) -> Included:
        """Let the agent ask, for longer than a run lasts.

        Raises:
            NotDone: that was not done.
        """
        until = UnixSeconds(node.membership.ledger.now() + _LONG_SECONDS)
        return await self.send(node, "grant", self.wallet, address_of_secret(self.agent), until)

    async def revoke(self, node: Node) -> Included:
        """Let the agent ask no more.

        Raises:
            NotDone: that was not done.
        """
        return await self.send(node, "revoke", self.wallet, address_of_secret(self.agent))


@dataclass(frozen=True, slots=True)
class Wish:
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
    _kept: Kept = field(default_factory=Kept)

    @staticmethod
    def of(ledger: Ledger, owner: Owner, value: int, dice: Random) -> "Wish":
        """Ask for a payment.

        Args:
            ledger: Where.
            owner: Whose agent asks.
            value: In wei.
            dice: For ids and keys.
        """
        secret = Secret(dice.randbytes(32))
        wanted = payment(value, dice.getrandbits(31))
        request = Request(
            network=ledger.network,
            wallet=owner.wallet,
            request_id=RequestId(dice.randbytes(32)),
            expires_at=UnixSeconds(ledger.now() + 300),
            method=SIGN_TRANSACTION,
            payload=wanted.unsigned_bytes(),
            reply_key=hpke.public_key(secret),
        )
        raw = request.signed_bytes(sign(owner.agent, request_digest(request)))
        key = request_key(address_of_secret(owner.agent), request.request_id)
        return Wish(raw, key, value, signing_hash(wanted), owner.account, secret)

    @property
    def name(self) -> Hash32:
        """The transaction's hash."""
        return keccak256(self.raw)

    async def answered(self, node: Node, seconds: float) -> Released | None:
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

    def _gathering(self, node: Node) -> Assembling:
        known = node.membership.roster.assembly().hall.seats()
        nodes = {seat: one.identity for seat, one in known.items()}
        network = node.membership.ledger.network
        return Assembling(network, self.key, nodes, self._secret, self.address)
