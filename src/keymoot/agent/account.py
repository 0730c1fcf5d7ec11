"""An account for eth_account, web3.py and what is built on them, without a key.

    from keymoot.agent import Account
    acct = Account.connect("yield")          # KEYMOOT_URL, KEYMOOT_CREDENTIAL
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(acct), layer=0)

It asks the network for each signature, as the wallet's policy allows, and returns only
one that is the wallet's, over exactly what was asked.
"""

from keymoot.agent.connected import Connected
from keymoot.agent.evm_account import EvmAccount
from keymoot.agent.signable import EcdsaSignable
from keymoot.base.fixed import Address, Hash32, Signature65


class Account(Connected, EvmAccount):
    """A wallet on EVM chains whose key is in the network.

    Safe to use from several threads, and in children that were forked from a process which
    used it. Compare, print and hash it freely. It cannot be pickled: connect again instead.
    """

    ADDRESS = Address

    def _begin(self, address: Address) -> None:
        self._stand_for(address)

    @property
    def credential(self) -> Address:
        """The credential's own address, by which its owner grants and revokes it."""
        return self._credential.requester

    def __repr__(self) -> str:
        return f"Account({self.name!r}, {self._address})"

    def _released(
        self, method: str, payload: bytes, digest: Hash32, idempotency_key: str | None
    ) -> Signature65:
        wanted = EcdsaSignable(self._evm_address, digest)
        return self._wishes.ask(method, payload, wanted, idempotency_key).ecdsa()
