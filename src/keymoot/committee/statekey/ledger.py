"""What messages about the state key do to the committee, and when its version is raised.

Who is admitted asks as members do, before it is one: an epoch begins only when its newcomers
hold the secret (`reshare`), for who cannot execute signs no block. Once all members hold it the
key exists: from then on blocks need it, so nobody may be left who could not execute the next one.

When somebody who had the secret has no seat any more, the version is raised:

1. Nothing begins before all members hold the living epoch's shares. Until then a recovery may go
   back to the members before, and these have to execute.
2. Members, and who is about to be one, ask for the next version as they ask for the present one.
   Who has left has no seat to ask from, and no share that answers.
3. Once all members hold it, the next block uses it. n−f would not do: f of them may lie, and with
   f honest ones that still wait too few could execute for anybody to get it any more.

An epoch or a generation that begins meanwhile drops the next version: other members may go.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from keymoot.base.fixed import Bytes32
from keymoot.base.units import Height
from keymoot.committee.errors import Unwanted
from keymoot.committee.messages import Kind
from keymoot.committee.pages import COMING_KEY, FORMER_KEYS, PRESENT_KEY, PageName
from keymoot.committee.reshare.ledger import EpochTransitions
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.state import CommitteeState
from keymoot.committee.statekey.record import (
    AnswerBody,
    Ask,
    AskBody,
    FormerVersions,
    HeldBody,
    StateKeyStatus,
    next_name,
)
from keymoot.committee.statekey.round import StateKeyDistribution, takers
from keymoot.committee.statekey.version import version_in
from keymoot.store.keys import Former

STATE_KINDS = (Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD)


class StateKeyLedger:
    """The state key of a state, in the present version and in the one that is to come."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state
        self.present = StateKeyDistribution(state, PRESENT_KEY)

    @property
    def status(self) -> StateKeyStatus:
        return self.present.status

    @property
    def coming(self) -> StateKeyDistribution | None:
        """The version that members gather; None while none is to come."""
        stands = COMING_KEY.status.stands(self._state.pages)
        return StateKeyDistribution(self._state, COMING_KEY) if stands else None

    @property
    def versions(self) -> tuple[StateKeyDistribution, ...]:
        coming = self.coming
        return (self.present,) if coming is None else (self.present, coming)

    def ask(self, seat: int) -> Ask | None:
        return self.present.ask(seat)

    def asks(self) -> dict[int, Ask]:
        return self.present.asks()

    def names(self) -> Iterator[PageName[Any]]:
        yield FORMER_KEYS
        yield from self.present.names()
        yield from StateKeyDistribution(self._state, COMING_KEY).names()

    def handle(self, seat: int, kind: Kind, body: bytes, height: Height) -> None:
        """Raise NotReady before there are roots; an ask needs its identity's signature."""
        if kind is Kind.STATE_ASK:
            asked = AskBody.decode(body)
            epoch = EpochTransitions(self._state).current
            self._named(asked.name).handle_ask(seat, asked, epoch)
        elif kind is Kind.STATE_ANSWER:
            answered = AnswerBody.decode(body)
            self._named(answered.name).handle_answer(seat, answered, height)
        else:
            self._named(HeldBody.decode(body).name).handle_held(seat)
            self._exist(height)

    def started_anew(self, seat: int) -> None:
        """End the asks of a start that is over: its one-time secrets are gone."""
        for version in self.versions:
            version.started_anew(seat)

    def knowing(self) -> frozenset[Bytes32]:
        """Give the identities of all that may have the present secret, and are still known."""
        state, told = self._state, self.status.told
        if not state.founded:
            return frozenset()
        joining = EpochTransitions(state).membership.page.joining
        asked = (joining[seat].identity for seat in joining if seat in told)
        return frozenset((*(seat.identity for seat in state.seats().values()), *asked))

    def leave(self, knew: frozenset[Bytes32]) -> None:
        """Forget who neither sits nor is about to, and note whether it takes a secret along.

        `knew` is what `knowing` gave before the message.
        """
        if not knew <= self.knowing():
            self.present.put(replace(self.status, exposed=True))
        coming = self.coming
        if coming is not None and not coming.status.told <= frozenset(takers(self._state)):
            coming.put(replace(coming.status, exposed=True))
        for version in self.versions:
            version.leave()

    def epoch_began(self) -> None:
        """End all asks, and drop the version that is to come: an epoch begins."""
        coming = self.coming
        if coming is not None:
            coming.close()
            COMING_KEY.status.remove(self._state.pages)
        self.present.close()

    def wipe(self) -> None:
        """End all asks, and ask all anew whether they hold it: a generation begins.

        It may have gone back to other seats, and most have started anew.
        """
        self.epoch_began()
        self.present.put(replace(self.status, holders=frozenset()))

    def move(self) -> None:
        """Begin to raise the version where somebody has left with it; raise it once all have it."""
        epochs, status = EpochTransitions(self._state), self.status
        epoch, coming = epochs.current, self.coming
        if epoch is None or epoch.stage is not EpochStage.LIVING or not status.exists:
            return
        # Members before may have to execute, as long as a recovery can go back to them.
        if epochs.previous.page is not None:
            return
        if coming is not None:
            if coming.status.holders.issuperset(self._state.committee.indices):
                self._raise(coming)
        elif status.exposed:
            state, version = self._state, status.version + 1
            name = next_name(state.network, version, state.record.generation, epoch.number)
            COMING_KEY.status.write(state.pages, StateKeyStatus(version, name))

    def _raise(self, coming: StateKeyDistribution) -> None:
        """Have the version that is to come as the present one, with who asks for it."""
        pages, status = self._state.pages, self.status
        self.present.close()
        for seat in takers(self._state):
            PRESENT_KEY.ask.of(seat).take(pages, COMING_KEY.ask.of(seat))
            COMING_KEY.ask.of(seat).remove(pages)
        # The first block under the new version wraps this one.
        former = (*version_in(pages).former, Former(status.name, b""))
        FORMER_KEYS.write(pages, FormerVersions(former))
        self.present.put(replace(coming.status, since=status.since))
        COMING_KEY.status.remove(pages)

    def _exist(self, height: Height) -> None:
        status = self.status
        if not status.exists and status.holders.issuperset(self._state.committee.indices):
            self.present.put(replace(status, since=height))

    def _named(self, name: Bytes32) -> StateKeyDistribution:
        named = next((version for version in self.versions if version.name == name), None)
        if named is None or not self._state.ready:
            raise Unwanted("there is no such state key")
        return named
