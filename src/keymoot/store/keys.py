"""Keys of the state: from one network secret, a pair for each contract.

The secret may come late: a network's first blocks make it, and a node gets it from its
enclaves. That it exists is a fact of the ledger, and not decided here.
"""

import hmac
from dataclasses import dataclass

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.crypto.kdf import derive
from keymoot.crypto.sealing import NONCE_BYTES, Sealer

_NONCE = b"nonce"
"""Begins what a nonce is drawn from. No cell's key begins so: they are lists in RLP."""


@dataclass(frozen=True, slots=True)
class ContractKeys:
    """One contract's keys: `blind` hides which cell a slot is, `sealer` what is in it."""

    blind: Secret
    sealer: Sealer

    def slot(self, key: bytes) -> Bytes32:
        """Give the slot of a cell: HMAC-SHA-256 under the blinding key."""
        return Bytes32(hmac.digest(self.blind.expose(), key, "sha256"))

    def nonce(self, seed: Hash32, position: int, counter: int) -> bytes:
        """Give the sealing nonce (12 bytes) of one write: HMAC-SHA-256, cut.

        Args:
            seed: Of the block being executed. Forks of one height have other seeds, so none
                of them repeats another's nonces.
            position: The transaction's place in the block.
            counter: Which of its confidential writes this is.
        """
        place = position.to_bytes(4, "big") + counter.to_bytes(4, "big")
        message = _NONCE + seed + place
        return hmac.digest(self.blind.expose(), message, "sha256")[:NONCE_BYTES]


class StateKeys:
    """What opens confidential state and feeds in-block randomness; a node has one."""

    def __init__(self, secret: Secret | None, network: NetworkId) -> None:
        """Derive from the network's state secret (32 bytes).

        Args:
            secret: The state secret; None if it comes later, by `take`.
            network: The only network these keys serve.
        """
        self.network = network
        self._secret = secret
        self._contracts: dict[Address, ContractKeys] = {}

    @property
    def held(self) -> bool:
        """Whether the secret is here."""
        return self._secret is not None

    def take(self, secret: Secret) -> None:
        """Take the secret over; the first one that comes counts.

        Raises:
            Defect: another one came before.
        """
        if self._secret is None:
            self._secret = secret
        elif not hmac.compare_digest(self._secret.expose(), secret.expose()):
            raise Defect("two seats handed over different state secrets")

    def contract_keys(self, address: Address) -> ContractKeys:
        """Give a contract's keys.

        Raises:
            Defect: the secret is not here.
        """
        keys = self._contracts.get(address)
        if keys is None:
            secret = self._known()
            blind = derive(secret, "state/blind", self.network, address)
            seal = derive(secret, "state/seal", self.network, address)
            keys = self._contracts[address] = ContractKeys(blind, Sealer(seal))
        return keys

    def random(self, seed: Hash32, position: int, counter: int, length: int) -> Secret:
        """Give bytes that nobody knew before the block was decided, the same on every replica.

        Args:
            seed: Of the block being executed.
            position: The transaction's place in it.
            counter: How many draws this transaction made before.
            length: Bytes wanted, 8 to 1024.

        Raises:
            Defect: the secret is not here.
        """
        return derive(
            derive(self._known(), "state/random", self.network),
            "state/draw",
            seed,
            position.to_bytes(4, "big"),
            counter.to_bytes(4, "big"),
            length=length,
        )

    def mix(self, seed: Hash32) -> Hash32:
        """Give the mix hash of the block with this seed: of no use but in its header.

        Raises:
            Defect: the secret is not here.
        """
        return Hash32(derive(self._known(), "state/mix", self.network, seed).expose())

    def _known(self) -> Secret:
        if self._secret is None:
            raise Defect("the state secret is used before it is here")
        return self._secret
