"""How one version of the state key is handed out: who asks, what is answered, who has it.

    STATE_ASK     a seat that has none posts a one-time key
    STATE_ANSWER  members answer it with ElGamal pairs, which everyone checks here
    STATE_HELD    the seat has the secret sealed; its ask is over

An ask ends with its start, its epoch and its generation too, so all its answers are of one
epoch's shares, and no one-time key serves a second time.
"""

from dataclasses import replace
from functools import lru_cache

from keymoot.base.fixed import Bytes32
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.moot.admitting import Admitting
from keymoot.moot.epoch import Epoch
from keymoot.moot.errors import NotSeated, Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.roots import DERIVE
from keymoot.moot.statekey import (
    Ask,
    Standing,
    ask_digest,
    page_of,
    read_answer,
    read_ask,
    standing_on,
    state_input,
)
from keymoot.threshold import derived
from keymoot.threshold.root import Root

_ask = lru_cache(maxsize=256)(Ask.decode)
"""Decoding is pure, and pages are read far more often than they change."""


class Handing:
    """One version of a hall's state key: the present one, or the one that is to come."""

    def __init__(self, hall: Hall, page: str) -> None:
        """Work on `hall`.

        Args:
            hall: The hall.
            page: Name of the version's page.
        """
        self._hall, self._page = hall, page

    @property
    def standing(self) -> Standing:
        """How this version stands."""
        return standing_on(self._hall.pages, self._page)

    @property
    def name(self) -> Bytes32:
        """The version's name."""
        return self.standing.name

    @property
    def root(self) -> Root:
        """The root from which the key is derived.

        Raises:
            NotReady: there are no roots yet.
        """
        return self._hall.root(DERIVE)

    @property
    def input(self) -> bytes:
        """The input from which the key is derived."""
        standing = self.standing
        return state_input(self._hall.network, standing.version, standing.name)

    @property
    def need(self) -> int:
        """How many good answers make the key."""
        return self.root.degree + 1

    def ask(self, seat: int) -> Ask | None:
        """Give the open ask of a seat."""
        raw = self._hall.pages.get(self.ask_page(seat))
        return None if raw is None else _ask(raw)

    def asks(self) -> dict[int, Ask]:
        """Give all open asks, by the seat that asks."""
        found = {seat: self.ask(seat) for seat in takers(self._hall)}
        return {seat: ask for seat, ask in found.items() if ask is not None}

    def ask_page(self, seat: int) -> str:
        """Name the page of a seat's open ask."""
        return page_of(self._page, seat)

    def hear_ask(self, seat: int, body: bytes, epoch: Epoch | None) -> None:
        """Take an ask.

        Raises:
            NotSeated: the seat's identity did not sign it.
            Unwanted: not now, or a second time.
            Malformed: it is none.
        """
        when, _, to, signature = read_ask(body)
        hall, standing = self._hall, self.standing
        # 1. It is of the living epoch, and the first of this start in it: said again, an old
        #    ask would open answers to a key whose secret is gone.
        if epoch is None or when != (epoch.number, epoch.attempt):
            raise Unwanted("the ask is of another epoch, or of another attempt to end it")
        if seat in standing.asked:
            raise Unwanted("this start has asked in this epoch already")
        # 2. The enclave itself asks, not only whoever got a key of boot seated.
        known = Admitting(hall).known(seat)
        if known is None or known.boot is None:
            raise NotSeated(f"seat {seat} has not said with which keys it started")
        generation = hall.head.generation
        place = seat, known.boot.signing
        digest = ask_digest(hall.network, generation, place, when, standing.name, to)
        if not ed25519.verify(known.identity, digest, signature):
            raise NotSeated(f"the ask is not signed by the identity of seat {seat}")
        # 3. The one-time key hides the answers.
        to.check()
        asks = standing.asks + 1
        hall.pages.set(self.ask_page(seat), Ask(asks, to).encode())
        # Whoever asks has it no more, whatever was said before.
        self.put(
            replace(
                standing,
                holders=standing.holders - {seat},
                asks=asks,
                asked=standing.asked | {seat},
                told=standing.told | {seat},
            )
        )

    def hear_answer(self, seat: int, body: bytes, height: Height) -> None:
        """Take an answer.

        Raises:
            NotReady: there are no roots yet.
            Unwanted: not now, or a second time.
            Malformed: it is none.
        """
        _, asker, number, answer = read_answer(body)
        ask = self.ask(asker) if asker in takers(self._hall) else None
        if ask is None or number != ask.number:
            raise Unwanted("the ask is over")
        if not ask.awaits(seat, self.need):
            raise Unwanted("the ask has its answers, or one of this seat")
        if derived.check(self.root, self.input, ask.to, seat, answer):
            ask = replace(ask, answers={**ask.answers, seat: answer})
        else:
            # Its number names an ask of this epoch, so no honest seat can be late and wrong.
            self._hall.caught(seat, height, "gave a bad part of the state key", out=False)
            ask = replace(ask, bad=ask.bad | {seat})
        self._hall.pages.set(self.ask_page(asker), ask.encode())

    def hear_held(self, seat: int) -> None:
        """Take it from a seat that it has the secret sealed.

        Raises:
            Unwanted: it has said so.
        """
        standing = self.standing
        if seat in standing.holders:
            raise Unwanted("the seat has said so")
        self._close(seat)
        self.put(replace(standing, holders=standing.holders | {seat}))

    def started_anew(self, seat: int) -> None:
        """End the ask of a start that is over: its one-time secret is gone."""
        standing = self.standing
        if seat in standing.asked:
            self._close(seat)
            self.put(replace(standing, asked=standing.asked - {seat}))

    def leave(self) -> None:
        """Forget who neither sits nor is about to: its number may be another's tomorrow."""
        standing, staying = self.standing, frozenset(takers(self._hall))
        for seat in sorted(standing.asked - staying):
            self._close(seat)
        self.put(
            replace(
                standing,
                asked=standing.asked & staying,
                holders=standing.holders & staying,
                told=standing.told & staying,
            )
        )

    def close(self) -> None:
        """End all asks: answers of another epoch's shares do not fit."""
        standing = self.standing
        for seat in sorted(standing.asked):
            self._close(seat)
        self.put(replace(standing, asked=frozenset()))

    def put(self, standing: Standing) -> None:
        """Write how this version stands."""
        if standing != self.standing:
            self._hall.pages.set(self._page, standing.encode())

    def _close(self, seat: int) -> None:
        self._hall.pages.set(self.ask_page(seat), None)


def takers(hall: Hall) -> tuple[int, ...]:
    """Give whose the secret may be: members, and those who are about to be."""
    joining = Admitting(hall).page.joining
    return tuple(sorted({*hall.committee.indices, *joining}))
