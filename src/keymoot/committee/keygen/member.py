"""One seat's part in key generation: what it promises, opens, judges and votes for.

The shares come back after a restart, from the dealings on the ledger and the epoch's
sealed key, while the key generation is where the living shares come from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.secret import Secret
from keymoot.committee.attestation import founder_report
from keymoot.committee.identity import EnclaveIdentity
from keymoot.committee.keygen.record import (
    Keygen,
    Openings,
    Phase,
    RootComplaint,
    RootOpenings,
    RootVerdict,
    digest_of,
)
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.reshare.epoch_keys import EpochKeys
from keymoot.committee.reshare.member import Shares
from keymoot.committee.roots import ROOTS, RootDealing
from keymoot.committee.seat import SessionKeys
from keymoot.committee.task import Message, SeatTask
from keymoot.threshold import dkg
from keymoot.threshold.dkg import Opening
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session


@dataclass(slots=True)
class DkgParticipant:
    """One seat's mind for key generation, with the keys of its present start."""

    index: int
    keys: EpochKeys
    identity: EnclaveIdentity
    session: SessionKeys
    _made: dict[str, Shares] = field(default_factory=dict)
    _openings: dict[str, tuple[Opening, ...]] = field(default_factory=dict)
    _received: dict[str, list[dict[int, Secret]]] = field(default_factory=dict)

    def shares_in(self, machine: CommitteeMachine) -> Shares:
        if machine.epochs.current is None or machine.epochs.origin is not None:
            return {}
        return self._made.get(_name(machine.keygen.session()), {})

    def prune(self, machine: CommitteeMachine) -> None:
        """Forget the shares of the key generation once no recovery goes back to them."""
        kept = machine.epochs.previous.page
        if machine.epochs.origin is not None and (kept is None or kept.origin):
            self._made.clear()

    def due(self, machine: CommitteeMachine) -> list[SeatTask]:
        keygen = machine.keygen.record
        if keygen is None:
            return []
        if keygen.phase is Phase.DONE or not keygen.speaks(self.index):
            return []
        setting = machine.keygen.setting()
        name = _name(setting.session)
        task, attempt = self._task(machine, keygen, setting, name), keygen.attempt

        def run(rng: SeededRng) -> list[Message]:
            return [(kind, NumberedBody(attempt, body).encode()) for kind, body in task(rng)]

        return [SeatTask(f"{name}/{keygen.phase}", run)]

    def recovery(self, machine: CommitteeMachine) -> list[SeatTask]:
        """Compute our shares anew, while the key generation's live; the task is mute."""
        keygen = machine.keygen.record
        if keygen is None or keygen.phase is not Phase.DONE:
            return []
        if machine.epochs.origin is not None or self.shares_in(machine):
            return []
        setting, openings = machine.keygen.setting(), machine.keygen.openings()
        name = _name(setting.session)
        return [SeatTask(f"{name}/shares", lambda rng: self._recover(setting, name, openings, rng))]

    def _task(
        self, machine: CommitteeMachine, keygen: Keygen, setting: RootDealing, name: str
    ) -> Callable[[SeededRng], list[Message]]:
        if keygen.phase is Phase.EVIDENCE:
            evidence = self._evidence(machine)
            return lambda _: [(Kind.EVIDENCE, evidence)]
        openings = machine.keygen.openings()
        if keygen.phase is Phase.HASHES:
            return lambda rng: self._promise(setting, name, rng)
        if keygen.phase is Phase.OPENINGS:
            return lambda _: self._open(name)
        if keygen.phase is Phase.VERDICTS:
            return lambda rng: self._judge(setting, name, openings, rng)
        return lambda _: self._vote(setting, name, openings)

    def _evidence(self, machine: CommitteeMachine) -> bytes:
        """Give evidence for our own keys, whatever the genesis lists."""
        network, identity = machine.state.network, self.identity.public
        report = founder_report(network, identity, self.keys.points[0], self.session)
        return self.identity.quote(report)

    def _promise(self, setting: RootDealing, name: str, rng: SeededRng) -> list[Message]:
        made = [
            dkg.begin(setting.recipients(place), self.index, rng.child(kind.name))
            for place, kind in enumerate(ROOTS)
        ]
        self._openings[name] = tuple(opening for opening, _ in made)
        return [(Kind.KEYGEN_HASH, b"".join(promised for _, promised in made))]

    def _open(self, name: str) -> list[Message]:
        mine = self._openings.pop(name, None)
        return [] if mine is None else [(Kind.KEYGEN_OPEN, RootOpenings(mine).encode())]

    def _judge(
        self, setting: RootDealing, name: str, openings: Openings, rng: SeededRng
    ) -> list[Message]:
        self._received[name], complaints = self._receive(setting, openings, rng)
        return [(Kind.KEYGEN_VERDICT, RootVerdict(tuple(complaints)).encode())]

    def _vote(self, setting: RootDealing, name: str, openings: Openings) -> list[Message]:
        received = self._received.pop(name, None)
        if received is None:
            return []
        shares = self._finish(setting, openings, received)
        if shares is None:
            return []
        digest = digest_of(tuple(share.root for share in shares.values()))
        self._made[name] = shares
        return [(Kind.KEYGEN_VOTE, digest)]

    def _recover(
        self, setting: RootDealing, name: str, openings: Openings, rng: SeededRng
    ) -> list[Message]:
        received, _ = self._receive(setting, openings, rng)
        shares = self._finish(setting, openings, received)
        if shares is not None:
            self._made[name] = shares
        return []

    def _receive(
        self, setting: RootDealing, openings: Openings, rng: SeededRng
    ) -> tuple[list[dict[int, Secret]], list[RootComplaint]]:
        """Open what each dealer gave us of each root; complain of what is no share.

        Nothing at all where the key that it is encrypted to is erased.
        """
        received: list[dict[int, Secret]] = []
        complaints: list[RootComplaint] = []
        secret = self.keys.secret_of(SECP256K1.encode(setting.keys[self.index]))
        if secret is None:
            return received, complaints
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: opening[place] for seat, opening in openings.items()}
            shares, blamed = dkg.receive(to, self.index, secret, given, rng.child(kind.name))
            received.append(shares)
            complaints += [RootComplaint(place, complaint) for complaint in blamed]
        return received, complaints

    def _finish(
        self, setting: RootDealing, openings: Openings, received: list[dict[int, Secret]]
    ) -> Shares | None:
        mine = {}
        if not received:
            return None
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: opening[place] for seat, opening in openings.items()}
            shares = {seat: share for seat, share in received[place].items() if seat in given}
            try:
                made = dkg.finish(to, self.index, shares, given, setting.committee.present)
            except (Cheated, TooFew):
                return None
            mine[kind.name] = made
        return mine


def _name(session: Session) -> str:
    return f"{session.name}/{session.generation.hex()}"
