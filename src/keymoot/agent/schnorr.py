"""Ed25519 signatures of the assembly, put together by whoever asked for them.

Every signer that the block named must answer (FROST). Where one is silent or lies, the
requester finds out who, and asks again without him.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.agent.gathering import Gathering, Said, TooFewShares
from keymoot.agent.share import INFO, Released
from keymoot.base import rlp
from keymoot.base.errors import Fault, Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Bytes32, Hash32, SolanaAddress, WalletId
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, hpke
from keymoot.moot.outcome import signing_of
from keymoot.moot.slot import Slot
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.errors import TooFew
from keymoot.threshold.root import Root


@dataclass(frozen=True, slots=True)
class _Opened:
    """What one signer said: over what, with which nonce, for which key, its share."""

    digest: Hash32
    nonce: bytes
    public: bytes
    share: int


@dataclass(frozen=True, slots=True)
class Schnorr(Gathering[Released]):
    """What must be known to put one Ed25519 signature together.

    Attributes:
        secret: Private half of the request's reply key.
        wallet: The wallet's id.
        account: Its address on Solana: the key that must verify.
        message: What is signed.
        slots: The signers, as the server says; it helps to tell who is silent.
        root: Gives the Ed25519 root as the server shows it; it helps to tell who lies.
    """

    secret: Secret
    wallet: WalletId
    account: SolanaAddress
    message: bytes
    slots: tuple[Slot, ...]
    root: Callable[[], Root]

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
                found[seat] = opened
            except (Malformed, Said) as error:
                said.append(str(error))
        for digest, nonce, public in {
            (one.digest, one.nonce, one.public) for one in found.values()
        }:
            group = [one.share for one in found.values() if one.nonce == nonce]
            if len(group) == committee.degree + 1 and public == self.account:
                signature = nonce + EDWARDS25519.encode_scalar(sum(group) % EDWARDS25519.ORDER)
                if ed25519.verify(Bytes32(self.account), self.message, signature):
                    return Released(digest, signature)
                said.append("the shares make no signature")
        silent = frozenset(one.seat for one in self.slots) - self._good(found)
        raise TooFewShares(
            "not every signer gave a good share: " + "; ".join(said or ["none came"]), silent
        )

    def _good(self, found: Mapping[int, _Opened]) -> frozenset[int]:
        """Give the signers whose shares are good, as far as the server's root tells."""
        try:
            work = signing_of(self.root(), self.network, self.wallet, self.message, self.slots)
        except (Fault, Malformed, TooFew):
            return frozenset(found)
        nonce = EDWARDS25519.encode(work.nonce)
        return frozenset(
            seat
            for seat, one in found.items()
            if seat in work.points and one.nonce == nonce and frost.check(work, seat, one.share)
        )

    def _open(self, answer: Any) -> tuple[int, _Opened]:
        seat, sealed = self._content(answer)
        content = hpke.open_with(self.secret, sealed, INFO + self.network, self.key)
        digest, nonce, public, share = list_of(rlp.decode(content), 4, "answer")
        length = EDWARDS25519.POINT_BYTES
        return seat, _Opened(
            fixed_of(digest, Hash32, "digest"),
            ED25519.group.encode(ED25519.group.decode(bytes_of(nonce, "nonce", length))),
            bytes_of(public, "public", length),
            EDWARDS25519.decode_scalar(bytes_of(share, "share", 32)),
        )
