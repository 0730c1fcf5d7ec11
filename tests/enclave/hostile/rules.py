"""Each rule taken out, as the model does it: what is left must let the runs find what is wrong."""

import pytest

from keymoot.committee.nonces.ledger import NonceLedger
from keymoot.committee.nonces.member import NonceParticipant
from keymoot.committee.participant import Participant
from keymoot.committee.presign.ledger import Stock
from keymoot.committee.presign.member import PresignParticipant
from keymoot.committee.recovery.ledger import RecoveryLedger
from keymoot.enclave import executed_chain as courses
from keymoot.enclave import start as starts
from keymoot.enclave.answers import Answers
from keymoot.enclave.executed_chain import ExecutedChain
from keymoot.enclave.publisher import PublishedState
from keymoot.enclave.signing import Signer
from keymoot.enclave.start import Start

Patch = pytest.MonkeyPatch


def no_parent(patch: Patch) -> None:
    """A start goes over to any certified block, and signs whatever has an uncertified parent."""
    takeover(patch)
    parentless(patch)


def parentless(patch: Patch) -> None:
    """A block is signed whatever its parent has."""

    def by_parent(self, header, certified, before):  # type: ignore[no-untyped-def]
        if not self.participant.seated(before):
            return b""
        return self._share(header, self.participant.shares_in(before))

    patch.setattr(Signer, "by_parent", by_parent)


def takeover(patch: Patch) -> None:
    """A start goes over to any certified block; what it holds and has signed comes along."""
    real, made = Start._begin, {}

    def begin(self, place):  # type: ignore[no-untyped-def]
        self._course = None
        return real(self, place)

    def signer(network, participant):  # type: ignore[no-untyped-def]
        return made.setdefault(id(participant), Signer(network, participant))

    patch.setattr(Start, "_begin", begin)
    patch.setattr(starts, "Signer", signer)
    patch.setattr("tests.enclave.hostile.run.TAKEOVER", 8)


def forgetful(patch: Patch) -> None:
    """With a takeover it forgets what it has signed: one height may be signed twice."""
    takeover(patch)
    patch.setattr(starts, "Signer", Signer)


def takeover_remembering(patch: Patch) -> None:
    """A takeover that signs one first block of a generation, as the other rules have it."""
    takeover(patch)
    real, begun = Signer.by_order, {}

    def by_order(self, header, order, after):  # type: ignore[no-untyped-def]
        key = id(self), header.generation
        if begun.setdefault(key, header.hash) != header.hash:
            return b""
        return real(self, header, order, after)

    patch.setattr(Signer, "by_order", by_order)


def any_certificate(patch: Patch) -> None:
    """What a block bound is answered under a later block's certificate too."""
    real = Answers.certify

    def certify(self, height, value, state):  # type: ignore[no-untyped-def]
        for one in self._open.values():
            if one.height < height and one.value is None:
                one.value = value
        real(self, height, value, state)

    patch.setattr(Answers, "certify", certify)


def no_wipe(patch: Patch) -> None:
    """What serves once stays in memory when a generation begins."""
    patch.setattr(Participant, "wipe", lambda self: None)
    patch.setattr(PresignParticipant, "prune", lambda self, machine: None)
    patch.setattr(NonceParticipant, "prune", lambda self, machine: None)


def one_stock(patch: Patch) -> None:
    """What serves once is of no generation: on the ledger it stays, and a start takes it."""
    patch.setattr(Stock, "wipe", lambda self: None)
    patch.setattr(NonceLedger, "wipe", lambda self: None)

    def presignature(self, generation, name):  # type: ignore[no-untyped-def]
        held = [one for (_, number), one in self._presignatures.items() if number == name.batch]
        return next((one.pop(name.place) for one in held if name.place in one), None)

    def nonces(self, generation, number):  # type: ignore[no-untyped-def]
        found = next((one for one in self._held if one[1] == number), None)
        return None if found is None else self._held.pop(found)

    patch.setattr(PresignParticipant, "take", presignature)
    patch.setattr(NonceParticipant, "take", nonces)


def no_generations(patch: Patch) -> None:
    no_wipe(patch)
    one_stock(patch)


def executed_session(patch: Patch) -> None:
    """Who signs is read from the newest executed state, certified or not."""

    def by_parent(self, header, certified, before):  # type: ignore[no-untyped-def]
        return self._share(header, self.participant.shares_in(before))

    def ballot(self, step):  # type: ignore[no-untyped-def]
        kept = self._before
        parent = self._steps.get(step.header.height - 1)
        self._before = kept if parent is None else parent.after
        try:
            if not self._participant.seated(self._before):
                return courses.Ballot(step.header.hash)
            return real(self, step)
        finally:
            self._before = kept

    real = ExecutedChain._ballot
    patch.setattr(Signer, "by_parent", by_parent)
    patch.setattr(ExecutedChain, "_ballot", ballot)


def old_goes_on(patch: Patch) -> None:
    """A start goes on when it executes the block that replaces it, and parents do not matter."""
    parentless(patch)
    patch.setattr(Participant, "taken", lambda self, machine: False)


def early_word(patch: Patch) -> None:
    """Duties follow from executed states."""
    real = ExecutedChain._advance

    def advance(self, name, block):  # type: ignore[no-untyped-def]
        step = real(self, name, block)
        self._speaker.see(PublishedState(step.after, step.header.height, step.header.time))
        return step

    patch.setattr(ExecutedChain, "_advance", advance)


def any_base(patch: Patch) -> None:
    """An order may build on a block of another chain."""
    patch.setattr(RecoveryLedger, "check_base", lambda self, terms, height, ancestor: None)


def unsigned(patch: Patch) -> None:
    """Nobody looks at signatures under what seats say."""
    patch.setattr("keymoot.committee.messages.NodeMessage.signed_by", lambda self, key: True)


def unstoppable(patch: Patch) -> None:
    """A pause stops no answer."""
    patch.setattr("keymoot.enclave.answers.stopped", lambda state, record, now: None)


def unseated(patch: Patch) -> None:
    """A start signs blocks, and answers, whether a state names it or not."""
    patch.setattr(Participant, "seated", lambda self, machine: self.member(machine))
