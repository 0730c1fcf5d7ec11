"""Ed25519 signatures of the committee, put together by whoever asked for them.

Every signer that the block named must answer (FROST). Where one is silent or lies, the
requester finds out who, and asks again without him.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.agent.share import ReleasedSignature, open_fields
from keymoot.agent.share_collection import Declined, ShareCollection, TooFewShares
from keymoot.base.errors import Fault, Malformed
from keymoot.base.fields import bytes_of
from keymoot.base.fixed import Bytes32, WalletId
from keymoot.base.secret import Secret
from keymoot.committee.binding import FrostBinding
from keymoot.committee.nonces.record import SignerCommitment
from keymoot.committee.outcome import signing_of
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Root


@dataclass(frozen=True, slots=True)
class _SchnorrShare:
    nonce: bytes
    share: int


@dataclass(frozen=True, slots=True)
class SchnorrCombiner(ShareCollection[ReleasedSignature]):
    """What must be known to put one Ed25519 signature together, which verifies under `public`.

    Attributes:
        secret: Private half of the request's reply key.
        slots: The signers, as the server says; it helps to tell who is silent, and who is none.
        root: That of the epoch in which the request was bound, as proved; it tells who lies. None
            where we know that of another epoch only.
    """

    secret: Secret
    wallet: WalletId
    public: Bytes32
    message: bytes
    slots: tuple[SignerCommitment, ...]
    root: Root | None

    def combine(self, answers: list[Any], committee: Committee) -> ReleasedSignature:
        """Give the signature, checked to be the wallet's.

        TooFewShares names who is silent or lies.
        """
        shares: dict[int, _SchnorrShare] = {}
        said = []
        for answer in answers:
            try:
                seat, opened = self._open(answer)
            except (Malformed, Declined) as error:
                said.append(str(error))
                continue
            # Whoever is none of the signers has nothing to add: it would only spoil the sum.
            if not self.slots or seat in self.signers:
                shares[seat] = opened
        for nonce in {share.nonce for share in shares.values()}:
            group = [share.share for share in shares.values() if share.nonce == nonce]
            if len(group) == committee.degree + 1:
                signature = nonce + EDWARDS25519.encode_scalar(sum(group) % EDWARDS25519.ORDER)
                if ed25519.verify(self.public, self.message, signature):
                    return ReleasedSignature(keccak256(self.message), signature)
                said.append("the shares make no signature")
        raise TooFewShares(
            "not every signer gave a good share: " + "; ".join(said or ["none came"]),
            self.signers - self._good(shares),
        )

    @property
    def signers(self) -> frozenset[int]:
        """The seats that sign; none where the server does not say."""
        return frozenset(slot.seat for slot in self.slots)

    def _good(self, shares: Mapping[int, _SchnorrShare]) -> frozenset[int]:
        """Give the signers whose shares are good, as far as the root tells."""
        if self.root is None:
            # Nobody is blamed for what came late.
            return frozenset(shares)
        means = FrostBinding(self.slots, self.message)
        try:
            work = signing_of(self.root, self.network, self.wallet, means)
        except Cheated as error:
            # No signer could answer over a commitment that is no point: only its seat is bad.
            return self.signers - {error.party}
        except (Fault, Malformed, TooFew):
            return frozenset(shares)
        nonce = EDWARDS25519.encode(work.nonce)
        return frozenset(
            seat
            for seat, share in shares.items()
            if share.nonce == nonce and frost.check(work, seat, share.share)
        )

    def _open(self, answer: Any) -> tuple[int, _SchnorrShare]:
        seat, sealed = self._content(answer)
        fields = open_fields(sealed, self.network, self.key, self.secret, 4)
        # What it says of digest and key decides nothing: the signature verifies or not.
        _digest, nonce, _public, share = fields
        length = EDWARDS25519.POINT_BYTES
        return seat, _SchnorrShare(
            ED25519.group.encode(ED25519.group.decode(bytes_of(nonce, "nonce", length))),
            EDWARDS25519.decode_scalar(bytes_of(share, "share", 32)),
        )
