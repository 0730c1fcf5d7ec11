"""One seat's part in key generation: what it promises, opens, judges and votes for.

The shares come back after a restart, from the dealings on the ledger and the epoch's
sealed key, while the key generation is where the living shares come from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.secret import Secret
from keymoot.moot.assembly import Assembly
from keymoot.moot.attestation import founder_report
from keymoot.moot.body import write_numbered
from keymoot.moot.duty import Duty, Message
from keymoot.moot.epoch_keys import EpochKeys
from keymoot.moot.keygen import (
    Keygen,
    Openings,
    Phase,
    Setting,
    digest_of,
    write_openings,
    write_verdict,
)
from keymoot.moot.message import Kind
from keymoot.moot.papers import Papers
from keymoot.moot.resharer import Shares
from keymoot.moot.roots import ROOTS
from keymoot.moot.seat import Boot
from keymoot.threshold import dkg
from keymoot.threshold.dice import Dice
from keymoot.threshold.dkg import Opening
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session


@dataclass(slots=True)
class Keymaker:
    """One seat's mind for key generation.

    Attributes:
        index: The seat.
        keys: Its sealing keys.
        papers: Who it is, and what shows what it runs.
        boot: The keys of this start.
    """

    index: int
    keys: EpochKeys
    papers: Papers
    boot: Boot
    _made: dict[str, Shares] = field(default_factory=dict)
    _openings: dict[str, tuple[Opening, ...]] = field(default_factory=dict)
    _received: dict[str, list[dict[int, Secret]]] = field(default_factory=dict)

    def shares_in(self, assembly: Assembly) -> Shares:
        """Give our shares of the epoch in which a state lives, if the key generation made them."""
        if assembly.turning.epoch is None or assembly.turning.origin is not None:
            return {}
        return self._made.get(_name(assembly.founding.session()), {})

    def prune(self, assembly: Assembly) -> None:
        """Forget the shares of the key generation once no recovery goes back to them."""
        kept = assembly.turning.before.page
        if assembly.turning.origin is not None and (kept is None or kept.origin):
            self._made.clear()

    def due(self, assembly: Assembly) -> list[Duty]:
        """Give what is to be done now."""
        keygen = assembly.founding.keygen
        if keygen is None:
            return []
        if keygen.phase is Phase.DONE or not keygen.speaks(self.index):
            return []
        setting = assembly.founding.setting()
        name = _name(setting.session)
        duty, attempt = self._duty(assembly, keygen, setting, name), keygen.attempt

        def run(dice: Dice) -> list[Message]:
            return [(kind, write_numbered(attempt, body)) for kind, body in duty(dice)]

        return [Duty(f"{name}/{keygen.phase}", run)]

    def recovery(self, assembly: Assembly) -> list[Duty]:
        """Give the duty that computes our shares anew, while the key generation's live; it is mute."""
        keygen = assembly.founding.keygen
        if keygen is None or keygen.phase is not Phase.DONE:
            return []
        if assembly.turning.origin is not None or self.shares_in(assembly):
            return []
        setting, openings = assembly.founding.setting(), assembly.founding.openings()
        name = _name(setting.session)
        return [Duty(f"{name}/shares", lambda dice: self._recover(setting, name, openings, dice))]

    def _duty(
        self, assembly: Assembly, keygen: Keygen, setting: Setting, name: str
    ) -> Callable[[Dice], list[Message]]:
        if keygen.phase is Phase.EVIDENCE:
            evidence = self._evidence(assembly)
            return lambda _: [(Kind.EVIDENCE, evidence)]
        openings = assembly.founding.openings()
        if keygen.phase is Phase.HASHES:
            return lambda dice: self._promise(setting, name, dice)
        if keygen.phase is Phase.OPENINGS:
            return lambda _: self._open(name)
        if keygen.phase is Phase.VERDICTS:
            return lambda dice: self._judge(setting, name, openings, dice)
        return lambda _: self._vote(setting, name, openings)

    def _evidence(self, assembly: Assembly) -> bytes:
        """Give evidence for our own keys, whatever the genesis lists."""
        network, identity = assembly.hall.network, self.papers.public
        report = founder_report(network, identity, self.keys.points[0], self.boot)
        return self.papers.quote(report)

    def _promise(self, setting: Setting, name: str, dice: Dice) -> list[Message]:
        made = [
            dkg.begin(setting.recipients(place), self.index, dice.child(kind.name))
            for place, kind in enumerate(ROOTS)
        ]
        self._openings[name] = tuple(opening for opening, _ in made)
        return [(Kind.KEYGEN_HASH, b"".join(promised for _, promised in made))]

    def _open(self, name: str) -> list[Message]:
        mine = self._openings.pop(name, None)
        return [] if mine is None else [(Kind.KEYGEN_OPEN, write_openings(mine))]

    def _judge(self, setting: Setting, name: str, openings: Openings, dice: Dice) -> list[Message]:
        self._received[name], complaints = self._receive(setting, openings, dice)
        return [(Kind.KEYGEN_VERDICT, write_verdict(complaints))]

    def _vote(self, setting: Setting, name: str, openings: Openings) -> list[Message]:
        received = self._received.pop(name, None)
        if received is None:
            return []
        found = self._finish(setting, openings, received)
        if found is None:
            return []
        digest = digest_of(tuple(share.root for share in found.values()))
        self._made[name] = found
        return [(Kind.KEYGEN_VOTE, digest)]

    def _recover(
        self, setting: Setting, name: str, openings: Openings, dice: Dice
    ) -> list[Message]:
        """Compute the root shares anew from what is public and the epoch's key."""
        received, _ = self._receive(setting, openings, dice)
        found = self._finish(setting, openings, received)
        if found is not None:
            self._made[name] = found
        return []

    def _receive(
        self, setting: Setting, openings: Openings, dice: Dice
    ) -> tuple[list[dict[int, Secret]], list[tuple[int, Complaint]]]:
        """Open what each dealer gave us of each root; complain of what is no share.

        Nothing at all where the key that it is encrypted to is erased.
        """
        received: list[dict[int, Secret]] = []
        complaints: list[tuple[int, Complaint]] = []
        secret = self.keys.secret_of(SECP256K1.encode(setting.keys[self.index]))
        if secret is None:
            return received, complaints
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: one[place] for seat, one in openings.items()}
            shares, found = dkg.receive(to, self.index, secret, given, dice.child(kind.name))
            received.append(shares)
            complaints += [(place, one) for one in found]
        return received, complaints

    def _finish(
        self, setting: Setting, openings: Openings, received: list[dict[int, Secret]]
    ) -> Shares | None:
        found = {}
        if not received:
            return None
        for place, kind in enumerate(ROOTS):
            to = setting.recipients(place)
            given = {seat: one[place] for seat, one in openings.items()}
            shares = {seat: one for seat, one in received[place].items() if seat in given}
            try:
                made = dkg.finish(to, self.index, shares, given, setting.committee.present)
            except (Cheated, TooFew):
                return None
            found[kind.name] = made
        return found


def _name(session: Session) -> str:
    return f"{session.name}/{session.generation.hex()}"
