"""A committee in memory: keys, randomness, and protocols run to their end."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.threshold import dealing as dealings
from keymoot.threshold import dkg, first_round, second_round
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Recipients
from keymoot.threshold.group import Group
from keymoot.threshold.polynomial import commit, evaluate
from keymoot.threshold.presignature import Batch, Presignature, PublicPresignature
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.root import Root, Share, root_of
from keymoot.threshold.secp256k1 import SECP256K1, Point
from keymoot.threshold.session import Session

NETWORK = NetworkId(b"\x07" * 32)
GENERATION = Hash32(b"\x09" * 32)

_seeds = itertools.count(1)


def rng() -> SeededRng:
    """Another one each time, the same in each run."""
    return SeededRng(Secret(next(_seeds).to_bytes(32, "big")))


def session(name: str = "a session") -> Session:
    return Session(NETWORK, GENERATION, name)


def known_root(
    group: Group[Any], size: int, degree: int, indices: tuple[int, ...] | None = None
) -> tuple[Secret, Root, dict[int, Share]]:
    """A root whose key is known, for tests that need to compare."""
    polynomial = rng().scalars(group, "root", degree + 1)
    members = indices or tuple(range(1, size + 1))
    root = root_of(group, commit(group, polynomial), max(members))
    shares = {at: Share(at, evaluate(group, polynomial, at), root) for at in members}
    return polynomial[0], root, shares


@dataclass
class Parties:
    """n parties with encryption keys."""

    size: int = 4
    indices: tuple[int, ...] | None = None
    committee: Committee = field(init=False)
    secrets: dict[int, Secret] = field(init=False)
    keys: dict[int, Point] = field(init=False)

    def __post_init__(self) -> None:
        members = self.indices or tuple(range(1, self.size + 1))
        self.committee = Committee(members)
        drawn = rng().scalars(SECP256K1, "keys", len(members))
        self.secrets = dict(zip(members, drawn, strict=True))
        self.keys = {at: SECP256K1.base(secret) for at, secret in self.secrets.items()}

    def recipients(self, group: Group[Any], degree: int, name: str = "dkg") -> Recipients:
        return Recipients(group, session(name), degree, self.keys)

    def batch(self, root: Root, size: int = 2, name: str = "batch 1") -> Batch:
        return Batch(session(name), root, self.keys, size)


def run_dkg(parties: Parties, group: Group[Any], degree: int) -> dict[int, Share]:
    """An honest run."""
    to = parties.recipients(group, degree)
    begun = {at: dkg.begin(to, at, rng()) for at in parties.keys}
    openings = {at: opening for at, (opening, _) in begun.items()}
    for at, (opening, promised) in begun.items():
        dkg.check(to, at, promised, opening)
    made = {}
    for at in parties.keys:
        shares, complaints = dkg.receive(to, at, parties.secrets[at], openings, rng())
        assert not complaints
        made[at] = dkg.finish(to, at, shares, openings, parties.committee.present)
    return made


@dataclass
class Presigning:
    """A batch with all its messages, so that a test can spoil one."""

    parties: Parties
    shares: dict[int, Share]
    batch: Batch
    first: dict[int, first_round.FirstDealing] = field(default_factory=dict)
    public: first_round.FirstPublic = field(init=False)
    first_shares: dict[int, list[first_round.FirstShare]] = field(default_factory=dict)
    second: dict[int, second_round.SecondDealing] = field(default_factory=dict)

    def deal_first(self) -> None:
        dealers = list(self.parties.keys)[: self.parties.committee.present]
        self.first = {at: first_round.deal(self.batch, at, rng()) for at in dealers}

    def take_first(self) -> None:
        checked = {at: first_round.check(self.batch, at, one) for at, one in self.first.items()}
        self.public = first_round.combine(self.batch, checked)
        for at, secret in self.parties.secrets.items():
            self.first_shares[at] = first_round.receive(
                self.batch, at, secret, self.first, self.public, rng()
            )

    def deal_second(self) -> None:
        dealers = list(self.parties.keys)[: self.batch.product_dealers]
        self.second = {
            at: second_round.deal(
                self.batch, self.shares[at], self.public, self.first_shares[at], rng()
            )
            for at in dealers
        }

    def take_second(self) -> dict[int, list[Presignature]]:
        return {at: self.receive_second(at) for at in self.parties.keys}

    def receive_second(self, at: int) -> list[Presignature]:
        return second_round.receive(
            self.batch,
            at,
            self.parties.secrets[at],
            self.public,
            self.first_shares[at],
            self.second,
            rng(),
        )

    def read_second(self) -> dict[int, second_round.SecondClaim]:
        return {
            at: second_round.read(self.batch, self.public, at, one)
            for at, one in self.second.items()
        }

    def combine_second(self) -> list[PublicPresignature]:
        commitments = {at: one.commitments for at, one in self.read_second().items()}
        return second_round.combine(self.batch, self.public, commitments)

    def run(self) -> dict[int, list[Presignature]]:
        self.deal_first()
        self.take_first()
        self.deal_second()
        return self.take_second()


def presigning(
    size: int = 4, batch_size: int = 2, name: str = "batch 1"
) -> tuple[Secret, Presigning]:
    """A batch of a root whose key is known."""
    parties = Parties(size)
    key, root, shares = known_root(SECP256K1, size, parties.committee.ecdsa_degree)
    return key, Presigning(parties, shares, parties.batch(root, batch_size, name))


__all__ = ["Parties", "Presigning", "dealings", "known_root", "presigning", "rng", "run_dkg"]
