"""Who keeps the keys after a change, signed by those who kept them before.

A chain of successions leads from the members that a genesis lists to the present ones. Who
knows the genesis follows it without believing whoever hands it over: each link names the
link before, and is signed by the identities of n−f of the members that it relieves.

A link says nothing of links that may have come since: who is shown an old one only learns
who sat there then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.committee import MAX_SIZE, Committee
from keymoot.threshold.errors import BadCommittee

MAX_CHAIN = 65_536
"""Longest chain: a change in every hour of seven years."""

_TAG = b"keymoot/v1/succession"
_SIGNATURE_BYTES = 64


class NoSuccession(Refused):
    """A link that does not follow from the members whom we know."""

    code = "NO_SUCCESSION"


@dataclass(frozen=True, slots=True)
class Keeper:
    """One member, as the outside must know it.

    Attributes:
        seat: Its number, 1 to 64.
        identity: Ed25519: signs answers and successions.
        consensus: Ed25519: signs blocks.
    """

    seat: int
    identity: Bytes32
    consensus: Bytes32

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [uint(self.seat), self.identity, self.consensus]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Keeper":
        """Read the RLP item.

        Raises:
            Malformed: not a member.
        """
        seat, identity, consensus = list_of(item, 3, "keeper")
        return Keeper(
            uint_of(seat, "seat", 1),
            fixed_of(identity, Bytes32, "identity"),
            fixed_of(consensus, Bytes32, "consensus"),
        )


@dataclass(frozen=True, slots=True)
class Members:
    """Who keeps the keys, and since which link of the chain.

    Attributes:
        network: Hash of the genesis.
        link: Digest of the succession that seated them; the network's id for the founders.
        epoch: The epoch that began with them; 0 for the founders.
        keepers: In rising order of their seats.
    """

    network: NetworkId
    link: Hash32
    epoch: int
    keepers: tuple[Keeper, ...]

    @staticmethod
    def first(network: NetworkId, keepers: Iterable[Keeper]) -> "Members":
        """Give the members whom the genesis lists."""
        return Members(network, Hash32(network), 0, tuple(keepers))

    @property
    def identities(self) -> dict[int, Bytes32]:
        """The keys that sign answers, by seat."""
        return {one.seat: one.identity for one in self.keepers}

    @property
    def committee(self) -> Committee:
        """The same as numbers only."""
        return Committee.among(one.seat for one in self.keepers)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the members before sign.

    Attributes:
        before: The link that this one follows; the network's id for the first.
        epoch: The epoch that begins with the new members.
        keepers: The new members, in rising order of their seats.
    """

    before: Hash32
    epoch: int
    keepers: tuple[Keeper, ...]

    def digest(self, network: NetworkId) -> Hash32:
        """Give what is signed, which also names the link."""
        return keccak256(_TAG + rlp.encode([network, *self.fields()]))

    def fields(self) -> list[rlp.Item]:
        """Give the RLP fields."""
        return [self.before, uint(self.epoch), [one.encode() for one in self.keepers]]


@dataclass(frozen=True, slots=True)
class Succession:
    """One link: terms, and signatures of the members before, by seat."""

    terms: Terms
    signatures: Mapping[int, bytes]

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        signed: list[rlp.Item] = [[uint(at), self.signatures[at]] for at in sorted(self.signatures)]
        return rlp.encode([*self.terms.fields(), signed])

    @staticmethod
    def decode(raw: bytes) -> "Succession":
        """Read the canonical bytes.

        Raises:
            Malformed: not a succession.
        """
        before, epoch, keepers, signed = list_of(rlp.decode(raw), 4, "succession")
        terms = Terms(
            fixed_of(before, Hash32, "before"),
            uint_of(epoch, "epoch", 8),
            tuple(Keeper.decode(one) for one in _bounded(keepers, "keepers")),
        )
        signatures = {}
        for pair in _bounded(signed, "signatures"):
            seat, signature = list_of(pair, 2, "signatures")
            signatures[uint_of(seat, "seat", 1)] = bytes_of(
                signature, "signature", _SIGNATURE_BYTES
            )
        found = Succession(terms, signatures)
        # One way to write it: seats rise and come once.
        seats = [one.seat for one in terms.keepers]
        if found.encode() != raw or seats != sorted(set(seats)):
            raise Malformed("a succession lists seats once, in order")
        return found


def follow(members: Members, succession: Succession) -> Members:
    """Give the members after a link.

    Raises:
        NoSuccession: it is no link of this chain at this place, or too few signed it.
    """
    terms = succession.terms
    # 1. It follows the members whom we know, and goes forward.
    if terms.before != members.link or terms.epoch <= members.epoch:
        raise NoSuccession("the succession does not follow the members that are known")
    # 2. Its members are a committee, and nobody sits twice.
    try:
        Committee(tuple(one.seat for one in terms.keepers))
    except BadCommittee as error:
        raise NoSuccession(f"the succession seats no committee: {error}") from error
    for keys in ({k.identity for k in terms.keepers}, {k.consensus for k in terms.keepers}):
        if len(keys) != len(terms.keepers):
            raise NoSuccession("the succession seats a key twice")
    # 3. n−f of the members before signed it, and nobody else did.
    digest, identities = terms.digest(members.network), members.identities
    for seat, signature in succession.signatures.items():
        if seat not in identities or not ed25519.verify(identities[seat], digest, signature):
            raise NoSuccession(f"the signature of seat {seat} is not that of a member")
    if len(succession.signatures) < members.committee.present:
        raise NoSuccession(
            f"{len(succession.signatures)} members signed the succession, "
            f"{members.committee.present} are needed"
        )
    return Members(members.network, digest, terms.epoch, terms.keepers)


def follow_all(members: Members, chain: Iterable[Succession]) -> list[Members]:
    """Give the members after each link, the given ones first.

    Raises:
        NoSuccession: a link does not follow.
    """
    found = [members]
    for one in chain:
        found.append(follow(found[-1], one))
    return found


@dataclass(frozen=True, slots=True)
class Latest:
    """The page that names the newest link.

    Attributes:
        count: Links so far.
        link: Digest of the newest.
        height: The block in which it was made: its members sign blocks from two above it on.
    """

    count: int
    link: Hash32
    height: int

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode([uint(self.count), self.link, uint(self.height)])

    @staticmethod
    def decode(raw: bytes) -> "Latest":
        """Read the page.

        Raises:
            Malformed: not that.
        """
        count, link, height = list_of(rlp.decode(raw), 3, "latest")
        return Latest(
            uint_of(count, "count", 4),
            fixed_of(link, Hash32, "link"),
            uint_of(height, "height", 8),
        )


def _bounded(item: rlp.Decoded, path: str) -> list[rlp.Decoded]:
    found = list_of(item, None, path)
    if len(found) > MAX_SIZE:
        raise Malformed(f"at most {MAX_SIZE} seats", path)
    return found
