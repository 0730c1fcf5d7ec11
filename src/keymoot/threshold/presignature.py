"""Presignatures of Groth and Shoup's ECDSA: everything that needs no message, dealt ahead.

Groth, Shoup: "Design and analysis of a distributed ECDSA signing service", 2022/506.
All sharings have the ECDSA degree t, secp256k1 throughout.

First round: parties deal random sharings of λ (under Pedersen's commitments) and of κ
(under Feldman's). The sum of the chosen dealings gives everyone λ_i and κ_i, and all the
world R = κ·G, K_i = κ_i·G and L_i = λ_i·G + λ'_i·H.

Second round: party i deals sharings of κ_i·λ_i and x_i·λ_i, each with a proof that it is
that product. Any 2t+1 of them, interpolated at zero, give degree-t sharings of κλ and xλ.

Points travel uncompressed: to read a compressed one takes longer than to check a share.
Nothing is opened here. A batch is many presignatures in one message; whoever is caught
is named, and the batch is burned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from keymoot.base.errors import Malformed
from keymoot.base.forms import AtMost
from keymoot.base.secret import Secret
from keymoot.threshold import envelope as boxes
from keymoot.threshold.envelope import Envelope
from keymoot.threshold.errors import Cheated
from keymoot.threshold.group import SCALAR_BYTES
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1 as GROUP
from keymoot.threshold.secp256k1 import Point
from keymoot.threshold.session import Session

MAX_BATCH = 256

Strings: TypeAlias = Annotated[tuple[bytes, ...], AtMost(MAX_BATCH)]
"""One string for each presignature: its points."""

_POINT = GROUP.WIDE_POINT_BYTES


@dataclass(frozen=True, slots=True)
class Batch:
    """What the parties of a batch agree on before it starts.

    Attributes:
        session: Network, generation, epoch and number of the batch.
        keys: Encryption keys of sessions by index; there may be gaps.
    """

    session: Session
    root: Root
    keys: Mapping[int, Point]
    size: int

    @property
    def first(self) -> Session:
        return self._round("first")

    @property
    def second(self) -> Session:
        return self._round("second")

    @property
    def product_dealers(self) -> int:
        """How many dealings of the second round it takes: 2t+1."""
        return 2 * self.root.degree + 1

    def _round(self, name: str) -> Session:
        session = self.session
        return Session(session.network, session.generation, f"{session.name}/{name}")


@dataclass(frozen=True, slots=True)
class Presignature:
    """One party's part of a presignature; it serves once.

    Attributes:
        point: R.
        secrets: λ, λ', (κλ), (κλ)', (xλ), (xλ)': this party's shares.
    """

    index: int
    point: Point
    secrets: tuple[Secret, Secret, Secret, Secret, Secret, Secret]


@dataclass(frozen=True, slots=True)
class PublicPresignature:
    """What all know of a finished presignature: commitments to its three polynomials."""

    point: Point
    blinder: tuple[Point, ...]
    nonce_product: tuple[Point, ...]
    key_product: tuple[Point, ...]


def open_shares(
    session: Session,
    dealer: int,
    index: int,
    key: Secret,
    batch: Batch,
    envelope: Envelope,
    per: int,
) -> list[Secret]:
    """Open one's own box: `per` scalars for each presignature, or Malformed."""
    content = boxes.open_box(session, dealer, index, key, batch.keys[index], envelope)
    try:
        return split_shares(batch, dealer, content, per)
    except Cheated as error:
        raise Malformed(str(error)) from error


def split_shares(batch: Batch, dealer: int, content: Secret, per: int) -> list[Secret]:
    """Read what a box holds: `per` scalars for each presignature, or Cheated."""
    raw = content.expose()
    if len(raw) != per * SCALAR_BYTES * batch.size:
        raise Cheated(dealer, f"sent a box of {len(raw)} bytes")
    try:
        return [
            GROUP.decode_secret(raw[at : at + SCALAR_BYTES])
            for at in range(0, len(raw), SCALAR_BYTES)
        ]
    except Malformed as error:
        raise Cheated(dealer, "sent a share that is no scalar") from error


def read_commitments(
    batch: Batch, dealer: int, encoded: Sequence[bytes], polynomials: int = 1
) -> list[list[Point]]:
    """Read the commitments to each presignature's polynomials; others, or no points: Cheated."""
    if len(encoded) != batch.size:
        raise Cheated(dealer, f"committed to {len(encoded)} of {batch.size} presignatures")
    length = polynomials * (batch.root.degree + 1) * _POINT
    points = []
    for raw in encoded:
        # The exact length: one coefficient more would raise the degree.
        if len(raw) != length:
            raise Cheated(dealer, f"sent commitments of {len(raw)} bytes, {length} are due")
        try:
            points.append(GROUP.decode_all(raw))
        except Malformed as error:
            raise Cheated(dealer, f"sent a commitment that is no point: {error}") from error
    return points
