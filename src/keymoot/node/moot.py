"""All enclaves of an embedded network together: one recovery, one beacon book, one ear."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence

import structlog

from keymoot.attest.commit import Commit, SignedHeader
from keymoot.base.errors import KeymootError, Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.enclave.messages import follow_item
from keymoot.engine import archive
from keymoot.engine.application import Finalized
from keymoot.engine.ledger import Ledger
from keymoot.engine.local import LocalEngine
from keymoot.moot.assembly import Assembly
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.seat import Seat
from keymoot.node.absent import Absent
from keymoot.node.asking import Asking, of_each
from keymoot.node.beacons import Beacons, message_at, terms_now
from keymoot.node.changes import Changes
from keymoot.node.config import Config
from keymoot.node.lineup import Lineup
from keymoot.node.seats import SeatHolder, Take
from keymoot.node.wanted import Wanted
from keymoot.runtime.assembly import assembly_in
from keymoot.runtime.genesis import Genesis
from keymoot.runtime.members import chain_of
from keymoot.threshold.committee import Committee

PULSE_SECONDS = 1.0
"""How often enclaves may see that time has passed."""

HEAL_SECONDS = 0.5
HEAL_LOOKS = 2
"""How often, and how many times in a row, a network must be found standing still."""

HEAL_PATIENCE = 40
"""How many times in a row, where not all enclaves run: who does not start is not waited for."""

log = structlog.get_logger("keymoot.moot")


class Moot:
    """The seats of one embedded network."""

    def __init__(
        self, config: Config, seats: Sequence[SeatHolder], absent: Absent | None = None
    ) -> None:
        """Take over started enclaves; `absent` are those that did not start."""
        self._config = config
        self._holders = {one.index: one for one in seats}
        self._absent = absent or Absent(self._holders, fresh=False)
        self._changes: Changes | None = None
        self._group: asyncio.TaskGroup | None = None
        self._watching: dict[int, asyncio.Task[None]] = {}
        self.ledger: Ledger | None = None
        self._engine: LocalEngine | None = None
        self._beacons: Beacons | None = None
        self._lineup: Lineup | None = None
        self._take: Take = lambda _: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._certificate = b""
        self.asking = Asking()
        """Questions about who comes, who goes, and when."""

    @classmethod
    async def start(cls, config: Config, seats: Iterable[int], *, fresh: bool) -> "Moot":
        """Start the enclaves of these seats side by side; those that can go on without others.

        Raises:
            TooManyAbsent: too many cannot start; none is left running.
        """
        absent = Absent(seats, fresh=fresh)
        return cls(config, await absent.start(config), absent)

    async def join(self, genesis: bytes) -> list[tuple[Secret | None, int]]:
        """Have all enclaves join their network; give what each gives (`SeatHolder.join`).

        Raises:
            TooManyAbsent: too many say no.
        """
        found = await self._absent.join(self.seats, genesis)
        self._holders = {seat: self._holders[seat] for seat in found}
        return [*found.values()]

    @property
    def absent(self) -> Mapping[int, str]:
        """Members whose enclaves do not run here, and why."""
        return self._absent.reasons

    @property
    def committee(self) -> Committee:
        """Who keeps the keys."""
        return self.lineup.committee

    @property
    def lineup(self) -> Lineup:
        """How the assembly stands after the newest block."""
        height = self.ledger.height() if self.ledger is not None else None
        if self._lineup is None or self._lineup.height != height:
            self._lineup = Lineup.of(self.assembly(), Height(height or 0))
        return self._lineup

    @property
    def seats(self) -> tuple[SeatHolder, ...]:
        """The enclaves that run here, in the order of their seats; also who comes, or has left."""
        return tuple(self._holders[index] for index in sorted(self._holders))

    def holder(self, seat: int) -> SeatHolder | None:
        """Give the enclave of a seat; None if it does not run here."""
        return self._holders.get(seat)

    @property
    def changes(self) -> Changes:
        """Who is to come, and to go."""
        if self._changes is None:
            raise Refused("the enclaves are not attached yet")
        return self._changes

    def attach(self, engine: LocalEngine, ledger: Ledger, take: Take) -> None:
        """Connect all enclaves to the ledger; `take` gets the state secret from each."""
        self._engine, self.ledger, self._take = engine, ledger, take
        self._changes = Changes(self, ledger, Wanted.load(self._config.data))
        self._beacons = Beacons(
            lambda: self.committee,
            lambda height, generation: message_at(ledger, height, generation),
        )
        for seat in self.seats:
            seat.attach(engine, self._hear, self._beacons.feed, take)
        engine.on_committed(self._show)

    async def add(self, index: int) -> None:
        """Start one more enclave; it follows the ledger from here on.

        Raises:
            EnclaveRefused: it cannot start.
        """
        engine, ledger, group = self._engine, self.ledger, self._group
        if engine is None or ledger is None or group is None:
            raise Refused("the enclaves are not attached yet")
        one = await SeatHolder.start(index, self._config)
        try:
            await one.join(ledger.genesis.encode())
            one.attach(engine, self._hear, self.beacons.feed, self._take)
            # Blocks that come while it begins are shown to it too: one missed, none is the next.
            self._holders[index] = one
            await one.sync()
        except BaseException:
            self._holders.pop(index, None)
            await one.close()
            raise
        engine.seat_signer(one)
        self._watching[index] = group.create_task(one.watch())

    async def remove(self, index: int) -> None:
        """End an enclave, if it runs; its folder stays."""
        one = self._holders.pop(index, None)
        if one is None:
            return
        watching = self._watching.pop(index, None)
        if watching is not None:
            watching.cancel()
        if self._engine is not None:
            self._engine.unseat_signer(one)
        await one.close()

    @property
    def beacons(self) -> Beacons:
        """The shares of recent beacons."""
        if self._beacons is None:
            raise Refused("the enclaves are not attached yet")
        return self._beacons

    def assembly(self) -> Assembly:
        """Give the assembly as the newest committed state has it."""
        if self.ledger is None:
            raise Refused("the enclaves are not attached yet")
        return assembly_in(self.ledger.state(), self.ledger.network)

    def seated(self) -> bool:
        """Tell whether the ledger knows the present start of enough enclaves."""
        hall = self.assembly().hall
        known = [
            one
            for one in self.seats
            if hall.has_seat(one.index) and hall.seat(one.index).boot == one.identity.boot
        ]
        return len(known) >= self.committee.present

    # -- recovery

    async def recover(self, genesis: Genesis) -> None:
        """Begin a new generation: all enclaves of this machine have started anew together.

        Raises:
            Refused: too few of them agree.
        """
        engine, ledger = self._engine, self.ledger
        if engine is None or ledger is None:
            raise Refused("the enclaves are not attached yet")
        height = engine.app.committed.height
        base = _signed_header(engine, height)
        hall = self.assembly().hall
        # Blocks may come while enclaves are asked: nothing is read from this state after that.
        head, known, present = hall.head, hall.seats(), hall.committee.present
        # It seats who signs it: where one does not, the others sign again without it.
        seats = [one for one in self.seats if one.index in known]
        while True:
            if len(seats) < present:
                raise Refused(f"{len(seats)} of {len(known)} enclaves agree to a recovery")
            terms = Certificate(
                genesis.network,
                head.generation,
                height,
                Hash32(genesis.network) if base is None else base.header.hash(),
                {seat.index: seat.identity.boot for seat in seats},
            )
            signed = await _endorsed(terms, seats, known)
            if len(signed.signatures) == len(seats):
                break
            seats = [one for one in seats if one.index in signed.signatures]
        certificate = signed.encode()
        chain = chain_of(self.assembly())
        await of_each(seats, lambda seat: seat.client.recover(base, certificate, chain))
        self._certificate = NodeMessage(
            genesis.network, head.generation, 0, Kind.RECOVER, certificate
        ).encode()

    async def enter(self) -> None:
        """Post the recovery and let every enclave begin at the newest proven state."""
        if self.ledger is None or self._engine is None:
            raise Refused("the enclaves are not attached yet")
        if not self._certificate:
            return
        await self.ledger.submit(self._certificate)
        while self._engine.provable is None:
            await self.ledger.new_block()
        await of_each(self.seats, lambda seat: seat.sync())

    # -- shares

    async def release(
        self, signed: SignedHeader, witness: dict[bytes, bytes], requests: list[Hash32]
    ) -> tuple[int, list[Answer]]:
        """Have Vault's keys sign in the first enclave that can; any of them could.

        Raises:
            Refused: none of them can.
        """
        refused: Refused = Refused("no enclave is there")
        for seat in self.seats:
            try:
                answers = await seat.client.release(signed, witness, requests)
            except Refused as error:
                # It starts anew, waits for the state secret, or has voted for more.
                refused = error
                continue
            except Malformed as error:
                refused = Refused(f"the enclave of seat {seat.index} speaks nonsense: {error}")
                continue
            if [one.request for one in answers] == requests:
                return seat.index, answers
            refused = Refused(f"the enclave of seat {seat.index} answers something else")
        raise refused

    # -- life

    async def run(self) -> None:
        """Keep the enclaves alive and let time pass for them, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._group = tasks
            for seat in self.seats:
                self._watching[seat.index] = tasks.create_task(seat.watch())
            tasks.create_task(self._pulse())
            tasks.create_task(self._tend())
            tasks.create_task(self._heal())
            tasks.create_task(self._absent.tend(self.add, lambda: self.lineup.committee.indices))

    async def close(self) -> None:
        """End all enclaves."""
        self.asking.forget()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(seat.close() for seat in self.seats), return_exceptions=True)

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            for seat in self.seats:
                self._spawn(seat.pulse())

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            try:
                await self.changes.tend()
            except CannotWrite as error:
                # What is wanted stays as it was, and is looked after again.
                log.warning("changes.not_kept", reason=str(error))

    async def _heal(self) -> None:
        """Recover when so many enclaves started anew at once that no block gets its votes."""
        engine, ledger, stuck = self._engine, self.ledger, 0
        if engine is None or ledger is None:
            return
        height = ledger.height()
        while True:
            await asyncio.sleep(HEAL_SECONDS)
            stands = ledger.height() == height and engine.waits_for_votes
            height = ledger.height()
            stuck = stuck + 1 if stands and not self.seated() else 0
            members = self.committee
            whole = all(one.alive for one in self.seats if one.index in members)
            if stuck < (HEAL_LOOKS if whole else HEAL_PATIENCE):
                continue
            log.warning("moot.recovers", height=height)
            try:
                await self.recover(ledger.genesis)
                await self.enter()
            except KeymootError as error:
                log.warning("moot.does_not_recover", reason=str(error))
            stuck = 0

    def _show(self, done: Finalized, commit: Commit) -> None:
        """Show every enclave the newest final block."""
        block = done.block
        if self.ledger is not None and done.receipts:
            self.beacons.note(block.header.height, terms_now(self.ledger))
        raw = follow_item(SignedHeader(block.header, commit), block.transactions, done.receipts)
        for seat in self.seats:
            seat.show(block.header.height, raw)

    def _hear(self, raw: bytes) -> None:
        self._spawn(self._post(raw))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, raw: bytes) -> None:
        if self.ledger is None:
            return
        try:
            await self.ledger.submit(raw)
        except KeymootError as error:
            # What came too late is not wanted any more; nothing is lost.
            log.debug("message.unwanted", reason=str(error))


async def _endorsed(
    terms: Certificate, seats: Sequence[SeatHolder], known: Mapping[int, Seat]
) -> SignedCertificate:
    """Have enclaves sign the terms of a recovery; keep what the ledger's identities signed."""
    unsigned = SignedCertificate(terms, {}).encode()
    found = await of_each(seats, lambda seat: seat.client.endorse(unsigned))
    signed = SignedCertificate(terms, found)
    good = signed.signers({at: one.identity for at, one in known.items()})
    return SignedCertificate(terms, {at: found[at] for at in sorted(good)})


def _signed_header(engine: LocalEngine, height: Height) -> SignedHeader | None:
    """Give a committed header with its commit; None for height 0, before the first block."""
    if not height:
        return None
    block = archive.block_at(engine.snapshot, height)
    commit = archive.commit_at(engine.snapshot, height)
    if block is None or commit is None:
        raise Refused("the newest block is missing from the archive")
    return SignedHeader(block.header, commit)
