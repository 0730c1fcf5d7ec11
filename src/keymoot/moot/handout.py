"""What messages about the state key do to the assembly.

    STATE_ASK     a seat that has none posts a one-time key
    STATE_ANSWER  members answer it with ElGamal pairs, which everyone checks here
    STATE_HELD    the seat has the secret sealed; its ask is over

Who is admitted asks as members do, before it is one: an epoch begins only when its newcomers
hold the secret (`turning`), for who cannot execute signs no block.

An ask ends with its start, its epoch and its generation too, so all its answers are of one
epoch's shares, and no one-time key serves a second time. Once all members hold it the key
exists: from then on blocks need it, so nobody may be left who could not execute the next one.
"""

from dataclasses import replace
from functools import lru_cache

from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.moot.errors import NotSeated, Unwanted
from keymoot.moot.hall import Hall
from keymoot.moot.message import Kind
from keymoot.moot.roots import DERIVE
from keymoot.moot.statekey import (
    STATE,
    Ask,
    Standing,
    ask_digest,
    read_answer,
    read_ask,
    read_held,
    standing_in,
    state_input,
)
from keymoot.moot.turning import Turning
from keymoot.threshold import derived
from keymoot.threshold.root import Root

STATE_KINDS = (Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD)

_ask = lru_cache(maxsize=256)(Ask.decode)
"""Decoding is pure, and pages are read far more often than they change."""


class Handout:
    """The state key of a hall."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall

    @property
    def standing(self) -> Standing:
        """How the state key stands."""
        return standing_in(self._hall.pages)

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
        return state_input(self._hall.network, self.standing.version)

    @property
    def need(self) -> int:
        """How many good answers make the key."""
        return self.root.degree + 1

    def ask(self, seat: int) -> Ask | None:
        """Give the open ask of a seat."""
        raw = self._hall.pages.get(ask_page(seat))
        return None if raw is None else _ask(raw)

    def asks(self) -> dict[int, Ask]:
        """Give all open asks, by the seat that asks."""
        found = {seat: self.ask(seat) for seat in self.takers()}
        return {seat: ask for seat, ask in found.items() if ask is not None}

    def takers(self) -> tuple[int, ...]:
        """Give whose the secret may be: members, and those who are about to be."""
        joining = Turning(self._hall).admitting.page.joining
        return tuple(sorted({*self._hall.committee.indices, *joining}))

    def hear(self, seat: int, kind: Kind, body: bytes, height: Height) -> None:
        """Take what a seat says.

        Raises:
            NotReady: there are no roots yet.
            NotSeated: the seat's identity did not sign its ask.
            Unwanted: not now, or a second time.
            Malformed: the body is not what its kind says.
        """
        if kind is Kind.STATE_ASK:
            self._hear_ask(seat, body)
        elif kind is Kind.STATE_ANSWER:
            self._hear_answer(seat, body, height)
        else:
            self._hear_held(seat, body, height)

    def started_anew(self, seat: int) -> None:
        """End the ask of a start that is over: its one-time secret is gone."""
        standing = self.standing
        if seat in standing.asked:
            self._close(seat)
            self._put(replace(standing, asked=standing.asked - {seat}))

    def leave(self) -> None:
        """Forget who neither sits nor is about to: its number may be another's tomorrow."""
        standing, takers = self.standing, frozenset(self.takers())
        for seat in sorted(standing.asked - takers):
            self._close(seat)
        self._put(
            replace(standing, asked=standing.asked & takers, holders=standing.holders & takers)
        )

    def turned(self) -> None:
        """End all asks: an epoch begins, and answers of another one's shares do not fit."""
        standing = self.standing
        for seat in sorted(standing.asked):
            self._close(seat)
        self._put(replace(standing, asked=frozenset()))
        self.leave()

    def wipe(self) -> None:
        """End all asks, and ask all anew whether they hold it: a generation begins.

        It may have gone back to other seats, and most have started anew.
        """
        self.turned()
        self._put(replace(self.standing, holders=frozenset()))

    def _hear_ask(self, seat: int, body: bytes) -> None:
        when, to, signature = read_ask(body)
        hall, standing, turning = self._hall, self.standing, Turning(self._hall)
        # 1. It is of the living epoch, and the first of this start in it: said again, an old
        #    ask would open answers to a key whose secret is gone.
        epoch = turning.epoch
        if epoch is None or when != (epoch.number, epoch.attempt):
            raise Unwanted("the ask is of another epoch, or of another attempt to end it")
        if seat in standing.asked:
            raise Unwanted("this start has asked in this epoch already")
        # 2. The enclave itself asks, not only whoever got a key of boot seated.
        known = turning.admitting.known(seat)
        if known is None or known.boot is None:
            raise NotSeated(f"seat {seat} has not said with which keys it started")
        generation = hall.head.generation
        digest = ask_digest(hall.network, generation, seat, known.boot.signing, when, to)
        if not ed25519.verify(known.identity, digest, signature):
            raise NotSeated(f"the ask is not signed by the identity of seat {seat}")
        # 3. The one-time key hides the answers.
        to.check()
        asks = standing.asks + 1
        hall.pages.set(ask_page(seat), Ask(asks, to).encode())
        # Whoever asks has it no more, whatever was said before.
        holders, asked = standing.holders - {seat}, standing.asked | {seat}
        self._put(replace(standing, holders=holders, asks=asks, asked=asked))

    def _hear_answer(self, seat: int, body: bytes, height: Height) -> None:
        asker, number, answer = read_answer(body)
        ask = self.ask(asker) if asker in self.takers() else None
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
        self._hall.pages.set(ask_page(asker), ask.encode())

    def _hear_held(self, seat: int, body: bytes, height: Height) -> None:
        version, standing = read_held(body), self.standing
        if not self._hall.ready or version != standing.version:
            raise Unwanted("there is no such state key")
        if seat in standing.holders:
            raise Unwanted("the seat has said so")
        self._close(seat)
        holders, since = standing.holders | {seat}, standing.since
        if not since and holders.issuperset(self._hall.committee.indices):
            since = height
        self._put(replace(standing, since=since, holders=holders))

    def _close(self, seat: int) -> None:
        self._hall.pages.set(ask_page(seat), None)

    def _put(self, standing: Standing) -> None:
        if standing != self.standing:
            self._hall.pages.set(STATE, standing.encode())


def ask_page(seat: int) -> str:
    """Name the page of a seat's open ask."""
    return f"state/ask/{seat}"
