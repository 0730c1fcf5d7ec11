"""A root: one public key whose private half exists as shares only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.base.secret import Secret
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.group import Group
from keymoot.threshold.polynomial import evaluate_everywhere


@dataclass(frozen=True, slots=True)
class Root:
    """What everyone knows of a root.

    Attributes:
        degree: degree+1 shares give the key; never fewer.
        shares: Verification shares X_1..X_m, m the highest index of a member: what each one's
            share is committed to. Gaps in the committee have theirs too, and nobody the share.
            One may be the identity: who deals last in a reshare can make his own share zero,
            which tells nobody anything else.
    """

    group: Group[Any]
    degree: int
    public: Any
    shares: tuple[Any, ...]

    def share_of(self, index: int) -> Any:
        return self.shares[index - 1]

    def encode(self) -> rlp.Item:
        """The group goes without saying."""
        public = self.group.encode(self.public)
        return [uint(self.degree), public, list(self.encoded_shares())]

    def encoded_shares(self) -> tuple[bytes, ...]:
        """Nothing at all for one that is the identity."""
        group = self.group
        return tuple(
            b"" if group.is_identity(share) else group.encode(share) for share in self.shares
        )

    @staticmethod
    def decode(group: Group[Any], item: rlp.Decoded) -> "Root":
        degree, public, shares = list_of(item, 3, "root")
        encoded = list_of(shares, None, "shares")
        if len(encoded) > MAX_SIZE:
            raise Malformed(f"a root has at most {MAX_SIZE} shares, got {len(encoded)}")
        return Root(
            group,
            uint_of(degree, "degree", 2),
            group.decode(bytes_of(public, "public", group.POINT_BYTES)),
            tuple(
                read_share(group, bytes_of(share, "share", group.POINT_BYTES)) for share in encoded
            ),
        )


@dataclass(frozen=True, slots=True)
class Share:
    index: int
    secret: Secret
    root: Root


def read_share(group: Group[Any], raw: bytes) -> Any:
    """As `Root.encoded_shares` writes it."""
    return group.decode(raw) if raw else group.identity


def root_of(group: Group[Any], commitment: Sequence[Any], highest: int) -> Root:
    """Give the root that a commitment to a polynomial makes, for indices up to `highest`."""
    shares = evaluate_everywhere(group, list(commitment), highest)
    return Root(group, len(commitment) - 1, commitment[0], tuple(shares))
