"""Signatures of the committee, put together by whoever asked for them.

Shares are sealed to the request's reply key; any degree+1 good ones make the signature,
which is checked before anybody else sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.agent.share import ReleasedSignature, open_fields
from keymoot.agent.share_collection import Declined, ShareCollection, TooFewShares
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of
from keymoot.base.fixed import Address, Hash32
from keymoot.base.secret import Secret
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, CUSTODY_WORDS
from keymoot.crypto.secp256k1 import address_of
from keymoot.threshold import ecdsa
from keymoot.threshold.committee import Committee
from keymoot.threshold.ecdsa import SignatureShare, Task
from keymoot.threshold.errors import TooFew
from keymoot.threshold.secp256k1 import SECP256K1


@dataclass(frozen=True, slots=True)
class _EcdsaShare:
    digest: Hash32
    nonce: bytes
    public: bytes
    share: SignatureShare


@dataclass(frozen=True, slots=True)
class EcdsaCombiner(ShareCollection[ReleasedSignature]):
    """What must be known to put one signature together.

    `secret` opens what is sealed to its request.
    """

    secret: Secret
    address: Address

    def combine(self, answers: list[Any], committee: Committee) -> ReleasedSignature:
        """Give the signature, checked to be the wallet's."""
        groups: dict[tuple[bytes, bytes, bytes], dict[int, _EcdsaShare]] = {}
        said = []
        for answer in answers:
            try:
                seat, opened = self._open(answer)
            except (Malformed, Declined) as error:
                said.append(str(error))
                continue
            # As soon as enough agree they are tried; the rest is opened only if that fails.
            name = (opened.digest, opened.nonce, opened.public)
            group = groups.setdefault(name, {})
            group[seat] = opened
            if len(group) <= committee.ecdsa_degree:
                continue
            try:
                return self._signature(opened.digest, *name[1:], group, committee)
            except (Malformed, TooFew) as error:
                said.append(str(error))
        raise TooFewShares("too few shares make a signature: " + "; ".join(said or ["none came"]))

    def _signature(
        self,
        digest: Hash32,
        nonce: bytes,
        public: bytes,
        group: Mapping[int, _EcdsaShare],
        committee: Committee,
    ) -> ReleasedSignature:
        point, key = SECP256K1.decode(nonce), SECP256K1.decode(public)
        if address_of(SECP256K1.encode_uncompressed(key)) != self.address:
            raise Malformed("the shares are of another wallet's key")
        # Combining needs R' and what the signature must verify under, and no more.
        work = Task(point, SECP256K1.x(point), 0, 0, digest, key)
        shares = {seat: answer.share for seat, answer in group.items()}
        signature, _ = ecdsa.combine(work, shares, committee.ecdsa_degree)
        return ReleasedSignature(digest, signature)

    def _open(self, answer: Any) -> tuple[int, _EcdsaShare]:
        seat, sealed = self._content(answer)
        fields = open_fields(sealed, self.network, self.key, self.secret, 4)
        digest, nonce, public, share = fields
        point = SECP256K1.POINT_BYTES
        return seat, _EcdsaShare(
            fixed_of(digest, Hash32, "digest"),
            bytes_of(nonce, "nonce", point),
            bytes_of(public, "public", point),
            SignatureShare.decode(bytes_of(share, "share")),
        )


def assembled(answer: Mapping[str, Any]) -> bool:
    """Tell whether an answer is to be put together from shares."""
    if answer.get("custody") != CUSTODY_WORDS[BY_COMMITTEE]:
        return False
    return any(answer.get(name) for name in ("answers", "lost"))
