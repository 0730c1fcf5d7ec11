"""What honest enclaves do in a run, written down as they do it, and what must never be among it."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.committee.certified import value_of
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import BOUND, OWNER
from keymoot.enclave import one_time
from keymoot.enclave.one_time import HeldNonces, HeldPresignature
from keymoot.runtime.release import find_record
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.threshold import ecdsa, envelope, frost
from keymoot.threshold.secp256k1 import SECP256K1
from tests.enclave.box import Box
from tests.enclave.hostile.tree import Node


class Violation(AssertionError):
    """Something happened that must never happen."""


@dataclass
class Notes:
    """What came of a run.

    Attributes:
        broken: Seats that are not honest: what they do counts for nothing.
        acting: Who does something just now; None for the host itself.
        spent: Of each presignature, by its point: the digests and δ it was answered under.
        nonces: Of each pair of nonces, by its commitments: what it was answered for.
        certified: Of each height of each generation: the blocks that got a certificate.
        keys: Of each seat: the points whose secrets are its enclaves'.
        counts: How often what happened, so that no run passes because nothing happens in it.
    """

    broken: frozenset[int]
    acting: Box | None = None
    spent: dict[bytes, set[tuple[bytes, int]]] = field(default_factory=lambda: defaultdict(set))
    nonces: dict[bytes, set[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(set))
    certified: dict[tuple[bytes, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    keys: dict[int, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    counts: Counter[str] = field(default_factory=Counter)
    at: dict[int, Node] = field(default_factory=dict)
    """Of each start that executes, by `id`: the block that it has executed last."""

    @property
    def honest(self) -> bool:
        return self.acting is not None and self.acting.seat not in self.broken

    def check(self, holds: bool, what: str) -> None:
        if not holds:
            raise Violation(what)

    # -- certificates

    def certificate(self, generation: Hash32, node: Node) -> None:
        """Note that a block got a certificate."""
        assert node.hash is not None
        found = self.certified[bytes(generation), node.height]
        found.add(bytes(node.hash))
        self.counts["certificates"] += 1
        self.check(len(found) == 1, "two certificates of one height and generation")

    def outcome(self, box: Box, node: Node) -> None:
        """Note that what a block did has left an enclave."""
        path = self.at[id(box)].path
        covered = [one for one in path[node.height :] if one is not None and one.proof]
        self.check(bool(covered), "an outcome has left without a certificate")

    # -- what serves once

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Look at everything that serves once as it is used, and at every dealing."""
        patch.setattr(one_time.ecdsa, "sign", self._ecdsa)
        patch.setattr(one_time.frost, "sign", self._frost)
        patch.setattr(HeldPresignature, "share", self._unlocked(HeldPresignature.share))
        patch.setattr(HeldNonces, "share", self._unlocked(HeldNonces.share))
        patch.setattr(envelope, "seal", self._sealed)

    def _ecdsa(self, presignature, work):  # type: ignore[no-untyped-def]
        if self.honest:
            self.counts["ecdsa"] += 1
            found = self.spent[SECP256K1.encode(presignature.point)]
            found.add((bytes(work.digest), work.delta))
            self.check(len(found) == 1, "one presignature has two answers that differ")
        return _ECDSA(presignature, work)

    def _frost(self, work, own, nonces):  # type: ignore[no-untyped-def]
        if self.honest:
            self.counts["frost"] += 1
            name = nonces.commitment.hiding + nonces.commitment.binding
            found = self.nonces[name]
            binding = repr([sorted(work.commitments.items()), work.epsilon]).encode()
            found.add((bytes(work.message), binding))
            self.check(len(found) == 1, "one pair of nonces has two answers that differ")
        return _FROST(work, own, nonces)

    def _unlocked(self, real):  # type: ignore[no-untyped-def]
        def share(what, network, generation, binding, value):  # type: ignore[no-untyped-def]
            if self.honest:
                assert self.acting is not None
                path = self.at[id(self.acting)].path
                node = path[binding.height]
                good = node is not None and node.proof and value == value_of(node.proof)
                self.check(bool(good), "a share has left without its own block's certificate")
            return real(what, network, generation, binding, value)

        return share

    def _sealed(self, session, dealer, recipients, contents, rng):  # type: ignore[no-untyped-def]
        if self.honest:
            self.counts["dealings"] += 1
            for seat, point in recipients.items():
                own = SECP256K1.encode(point) in self.keys[seat]
                self.check(own or seat in self.broken, f"a dealing to a key that is not {seat}'s")
        return _SEAL(session, dealer, recipients, contents, rng)

    # -- answers

    def answered(self, box: Box, node: Node, request: Hash32, first: bool) -> None:
        """Note that an enclave gave an answer.

        Args:
            box: The enclave.
            node: The newest block whose certificate was shown to it.
            request: Its name on the ledger.
            first: Whether it gave none before.
        """
        assert node.header is not None
        record = find_record(node.state, request)
        if record is None:
            # A question for a derived key: nobody can stop it.
            self.counts["derived"] += first
            return
        self.counts["vault"] += first and not record.bound_to
        self.check(record.status == BOUND, "an answer to what is not bound")
        self.check(node.header.time <= record.expires_at, "an answer after its request expired")
        paused, revoked = _stopped(node.state, record, node.header.time)
        self.check(not paused, "an answer after a pause")
        self.check(not revoked, "an answer after its credential was revoked")


def _stopped(state: State, record, time: UnixSeconds) -> tuple[bool, bool]:  # type: ignore[no-untyped-def]
    if record.kind == OWNER:
        return False, False
    store = PublicStore(Journal(state), Wallets.ADDRESS, FreeMeter(), writable=False)
    wallet = Wallets.wallets.get(store, record.wallet)
    grant = Wallets.credentials.get(store, record.wallet + record.requester)
    return wallet.paused, grant.revoked or time > grant.expires_at


_ECDSA, _FROST, _SEAL = ecdsa.sign, frost.sign, envelope.seal
