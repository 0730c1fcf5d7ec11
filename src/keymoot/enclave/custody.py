"""The second step of custody, inside the enclave: check everything, then sign.

The server that asks is not believed. It shows a header with its commit, and the nodes
and blobs of the state behind it; what does not lead up to that header's app hash under
the validators of our own genesis is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.attest.commit import SignedHeader
from keymoot.attest.quorum import verify_commit
from keymoot.attest.validators import ValidatorSet
from keymoot.base import rlp
from keymoot.base.errors import Fault, KeymootError, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds, seconds_of
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.registry import built_in_registry
from keymoot.crypto import hpke
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import recover
from keymoot.moot.genesis import Genesis
from keymoot.runtime.release import release
from keymoot.store.errors import NoStateKeys
from keymoot.store.keys import StateKeys

SHARE_INFO = b"keymoot/share/v1"
"""What an answer is sealed for (HPKE's info, with the network's id behind it)."""

FRESH_BLOCKS = 4
"""How far a shown header may be behind the newest height that this enclave has voted for."""


class StaleHeader(Refused):
    """The shown header is too old: a wallet may have been paused since."""

    code = "STALE_HEADER"

    def __init__(self, shown: int, voted: int) -> None:
        """Name both heights."""
        super().__init__(f"the header at height {shown} is stale: this enclave voted for {voted}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets: sealed and signed, or the word and message of a refusal."""

    request: Hash32
    sealed: bytes
    signature: bytes
    code: str = ""
    message: str = ""


def signed_answer(network: bytes, request: Hash32, content: bytes, identity: SigningKey) -> Answer:
    """Sign what a node gives for a request, as whoever asked checks it."""
    signed = keccak256(network + request + content)
    return Answer(request, content, identity.sign(signed))


class Custodian:
    """Releases what final blocks have bound."""

    def __init__(
        self,
        genesis: Genesis,
        keys: StateKeys,
        identity: SigningKey,
        clock: Callable[[], UnixSeconds],
        voted: Callable[[], Height],
        validators: Callable[[Height], ValidatorSet],
    ) -> None:
        """Serve one network.

        Args:
            genesis: Its beginning.
            keys: The state keys.
            identity: Signs answers.
            clock: The machine's clock, which its host sets.
            voted: The newest height this enclave has voted for.
            validators: Says who signs the block at a recent height.
        """
        self._genesis = genesis
        self._validators = validators
        self._keys = keys
        self._identity = identity
        self._clock = clock
        self._voted = voted
        self._contracts = built_in_registry()

    def answer(
        self, signed: SignedHeader, witness: dict[bytes, bytes], requests: list[Hash32]
    ) -> list[Answer]:
        """Answer requests that are bound in the state which a final header carries.

        Raises:
            NotFinal: two thirds of our validators did not sign this header.
            ForgedCommit: a signature is not what it claims.
            StaleHeader: the header is too old.
            NoStateKeys: this enclave has no state secret yet; another seat's has.
        """
        if not self._keys.held:
            raise NoStateKeys
        # 1. The header is final under our own validators.
        signers = self._validators(signed.header.height)
        header = verify_commit(signed, signers, self._genesis.chain_text).header
        # 2. It is not an old one, shown to hide a pause or a revocation.
        if header.height + FRESH_BLOCKS < self._voted():
            raise StaleHeader(header.height, self._voted())
        # 3. Each request is read from the state that it carries, and rechecked.
        block = BlockEnvironment(
            network=self._genesis.network,
            chain_id=self._genesis.chain_id,
            height=header.height,
            time=seconds_of(header.time),
            seed=header.hash(),
            base_fee=self._genesis.base_fee,
        )
        now = UnixSeconds(max(block.time, self._clock()))
        root = Hash32(header.app_hash)
        return [self._answer(witness, root, block, request, now) for request in requests]

    def _answer(
        self,
        witness: dict[bytes, bytes],
        root: Hash32,
        block: BlockEnvironment,
        request: Hash32,
        now: UnixSeconds,
    ) -> Answer:
        try:
            done = release(witness, root, block, self._contracts, self._keys, request, now)
            # 4. What leaves is checked once more: a faulty signature could tell the key.
            if recover(done.record.digest, done.signature) != done.account:
                raise Refused("the signature does not fit the wallet")
            content = rlp.encode([done.record.digest, done.signature])
            info = SHARE_INFO + self._genesis.network
            sealed = hpke.seal_to(done.record.reply_key, content, info, request)
        except (Refused, Fault) as error:
            return Answer(request, b"", b"", error.code, str(error))
        except KeymootError as error:
            return Answer(request, b"", b"", error.code, "the request cannot be answered")
        return signed_answer(block.network, request, sealed, self._identity)
