"""Ed25519 signatures of the assembly, put together by whoever asked for them.

Every signer that the block named must answer (FROST). Where one is silent or lies, the
requester finds out who, and asks again without him.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.agent.gathering import Gathering, Said, TooFewShares
from keymoot.agent.share import Released, open_fields
from keymoot.base.errors import Fault, Malformed
from keymoot.base.fields import bytes_of
from keymoot.base.fixed import Bytes32, SolanaAddress, WalletId
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.moot.outcome import signing_of
from keymoot.moot.slot import Slot
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Root


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one signer said: with which nonce, and its share."""

    nonce: bytes
    share: int


@dataclass(frozen=True, slots=True)
class Schnorr(Gathering[Released]):
    """What must be known to put one Ed25519 signature together.

    Attributes:
        secret: Private half of the request's reply key.
        wallet: The wallet's id.
        account: Its address on Solana: the key that must verify.
        message: What is signed.
        slots: The signers, as the server says; it helps to tell who is silent, and who is none.
        root: The Ed25519 root of the epoch in which the request was bound, as proved; it tells
            who lies. None where we know that of another epoch only.
    """

    secret: Secret
    wallet: WalletId
    account: SolanaAddress
    message: bytes
    slots: tuple[Slot, ...]
    root: Root | None

    def combine(self, answers: list[Any], committee: Committee) -> Released:
        """Give the signature, checked to be the wallet's over the message.

        Raises:
            TooFewShares: a signer is silent, or lies; `silent` names them.
        """
        found: dict[int, _Opened] = {}
        said = []
        for one in answers:
            try:
                seat, opened = self._open(one)
            except (Malformed, Said) as error:
                said.append(str(error))
                continue
            # Whoever is none of the signers has nothing to add: it would only spoil the sum.
            if not self.slots or seat in self.signers:
                found[seat] = opened
        for nonce in {one.nonce for one in found.values()}:
            group = [one.share for one in found.values() if one.nonce == nonce]
            if len(group) == committee.degree + 1:
                signature = nonce + EDWARDS25519.encode_scalar(sum(group) % EDWARDS25519.ORDER)
                if ed25519.verify(Bytes32(self.account), self.message, signature):
                    return Released(keccak256(self.message), signature)
                said.append("the shares make no signature")
        raise TooFewShares(
            "not every signer gave a good share: " + "; ".join(said or ["none came"]),
            self.signers - self._good(found),
        )

    @property
    def signers(self) -> frozenset[int]:
        """The seats that sign; none where the server does not say."""
        return frozenset(one.seat for one in self.slots)

    def _good(self, found: Mapping[int, _Opened]) -> frozenset[int]:
        """Give the signers whose shares are good, as far as the root tells."""
        if self.root is None:
            # Nobody is blamed for what came late.
            return frozenset(found)
        try:
            work = signing_of(self.root, self.network, self.wallet, self.message, self.slots)
        except Cheated as error:
            # No signer could answer over a commitment that is no point: only its seat is bad.
            return self.signers - {error.party}
        except (Fault, Malformed, TooFew):
            return frozenset(found)
        nonce = EDWARDS25519.encode(work.nonce)
        return frozenset(
            seat
            for seat, one in found.items()
            if one.nonce == nonce and frost.check(work, seat, one.share)
        )

    def _open(self, answer: Any) -> tuple[int, _Opened]:
        seat, sealed = self._content(answer)
        fields = open_fields(sealed, self.network, self.key, self.secret, 4)
        # What it says of digest and key decides nothing: the signature verifies or not.
        _digest, nonce, _public, share = fields
        length = EDWARDS25519.POINT_BYTES
        return seat, _Opened(
            ED25519.group.encode(ED25519.group.decode(bytes_of(nonce, "nonce", length))),
            EDWARDS25519.decode_scalar(bytes_of(share, "share", 32)),
        )
