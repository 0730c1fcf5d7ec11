"""The assembly: what each node's message does to it, for ledger and enclaves alike.

Deterministic: messages come in the order of final blocks, with the block's height and
time. A message that is refused changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from keymoot.base import rlp
from keymoot.base.contained import contained
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.admission import Newcomer
from keymoot.moot.admitting import ADMISSION
from keymoot.moot.attestation import ATTESTATION, Attestation
from keymoot.moot.batch import PresignatureId
from keymoot.moot.before import dealing_page
from keymoot.moot.body import FIRST, SECOND
from keymoot.moot.certificate import SignedCertificate
from keymoot.moot.commitments import Commitments
from keymoot.moot.errors import NotSeated, Unwanted, WrongGeneration
from keymoot.moot.founding import PHASE_OF, Founding
from keymoot.moot.genesis import EPOCH_SECONDS, Founder
from keymoot.moot.hall import HEAD, Hall, Head
from keymoot.moot.handout import STATE_KINDS, Handout
from keymoot.moot.handover import NEXT_DIGEST, ORIGIN
from keymoot.moot.message import BY_IDENTITY, Kind, NodeMessage
from keymoot.moot.pages import DraftPages, Pages
from keymoot.moot.recovery import Ancestor, Recovery
from keymoot.moot.roots import ROOTS
from keymoot.moot.seat import Boot, Seat
from keymoot.moot.stock import STOCK, Stock
from keymoot.moot.turning import EPOCH, STAGE_OF, Turning
from keymoot.threshold.committee import Committee

NO_GENERATION = Hash32(bytes(32))
"""The generation before the first recovery."""


TURN_KINDS = (*STAGE_OF, Kind.EPOCH_KEY, Kind.TURN)
NONCE_KINDS = (Kind.NONCES, Kind.BAD_NONCE)

NEWCOMER_KINDS = (
    *(Kind.BOOT, Kind.RESHARE_VERDICT, Kind.HELD),
    *(Kind.STATE_ASK, Kind.STATE_HELD),
)
"""What an enclave may say that joins with the next epoch."""


_NOBODY = Attestation()
"""Admits no enclave, until a genesis says which."""


class Assembly:
    """The assembly on its pages."""

    def __init__(self, pages: Pages, network: NetworkId) -> None:
        """Continue on `pages`."""
        self._pages = pages
        self.network = network
        self.hall = Hall(pages, network)
        self.founding = Founding(self.hall)
        self.turning = Turning(self.hall)
        self.stock = Stock(self.hall)
        self.commitments = Commitments(self.hall)
        self.handout = Handout(self.hall)
        self.recovery = Recovery(self.hall, self.turning)

    def found(
        self,
        founders: tuple[Founder, ...],
        height: Height,
        time: UnixSeconds,
        epoch_seconds: int = EPOCH_SECONDS,
        attestation: Attestation = _NOBODY,
    ) -> None:
        """Seat the members of the genesis, and begin the key generation with their evidence."""
        self.hall.attestation = attestation
        members = Committee.of(len(founders)).indices
        self.hall.head = Head(members, NO_GENERATION, 0, frozenset(), (), epoch_seconds)
        for index, one in zip(members, founders, strict=True):
            seat = Seat(one.identity, one.sealing, one.boot, Height(0))
            self.hall.put_seat(index, seat)
        self.founding.begin(height, time)

    def names(self) -> Iterator[str]:
        """Name every page there is, so that a start can take all of them over."""
        yield from (HEAD, "keygen", "keygen/session", "roots/digest", "roots/voted", STOCK)
        yield from (EPOCH, ORIGIN, NEXT_DIGEST, ADMISSION, ATTESTATION)
        yield from self.handout.pages()
        yield from (f"{which}/{kind.name}" for which in ("root", "next") for kind in ROOTS)
        if not self.hall.founded:
            return
        epoch, origin = self.turning.epoch, self.turning.origin
        for index in self.hall.committee.indices:
            yield from (f"seat/{index}", f"opening/{index}")
            if epoch is not None:
                yield dealing_page(epoch.number + 1, index)
        if epoch is not None and origin is not None:
            yield from (dealing_page(epoch.number, index) for index in origin.dealers.indices)
        yield from self.turning.before.names()
        yield from self.commitments.names()
        page = self.stock.page
        for number in (*page.open, *page.ready):
            yield f"batch/{number}"
            batch = self.stock.batch(number)
            if batch is not None:
                yield from (f"batch/{number}/{FIRST}/{seat}" for seat in batch.first)
                yield from (f"batch/{number}/{SECOND}/{seat}" for seat in batch.second)

    def check(self, message: NodeMessage) -> None:
        """Raise unless the message is of this generation and of who it says.

        Raises:
            WrongGeneration: it is of another generation.
            NotSeated: no such seat, or not its signature.
        """
        head = self.hall.head
        # 1. It belongs to this generation.
        if message.network != self.network or message.generation != head.generation:
            raise WrongGeneration
        # 2. A recovery brings its own signatures.
        if message.kind is Kind.RECOVER:
            self.recovery.check(message.body)
            return
        # 3. A newcomer was invited by its identity, and signs with it.
        if message.kind is Kind.JOIN:
            self.turning.admitting.check_join(message)
            return
        # 4. New keys of boot are signed by the seat's identity, the rest by its keys of boot.
        seat = self._speaker(message)
        if message.kind in BY_IDENTITY:
            key = seat.identity
        elif seat.boot is None:
            raise NotSeated(f"seat {message.seat} has not said with which keys it started")
        else:
            key = seat.boot.signing
        if not message.signed_by(key):
            raise NotSeated(f"the message is not signed by the present key of seat {message.seat}")

    def check_waiting(self, message: NodeMessage) -> None:
        """Raise unless the message may wait for a block, as `check` does in the block itself.

        A recovery may end a generation that begins in a block which is not certified yet; whether
        it does is seen when it is executed.

        Raises:
            WrongGeneration, NotSeated: as `check`.
        """
        if message.kind is Kind.RECOVER and message.network == self.network:
            self.recovery.check_endorsed(message.body)
        else:
            self.check(message)

    def apply(
        self,
        message: NodeMessage,
        height: Height,
        time: UnixSeconds,
        ancestor: Ancestor,
    ) -> None:
        """Take a message of a block.

        Args:
            message: Whatever somebody said.
            height: Of the block.
            time: Of the block.
            ancestor: Hashes of the blocks before it, for what builds on one of them.

        Raises:
            Refused: it does not fit; nothing changed.
            Malformed: its body is not what its kind says; nothing changed.
            Unexecutable: our code did not expect it; nothing changed.
        """
        draft = DraftPages(self._pages)
        with contained():
            drafted = Assembly(draft, self.network)
            drafted._apply(message, height, time, ancestor)
        draft.keep()

    def gone_back(self) -> "Assembly | None":
        """Give the assembly as a recovery would leave it now that goes back to the epoch before.

        None where all members hold their shares. It is for computing shares: nobody has a start.
        """
        if self.turning.before.page is None:
            return None
        back = Assembly(DraftPages(self._pages), self.network)
        back.turning.back(Height(0), UnixSeconds(0), {})
        return back

    def take(self, height: Height, time: UnixSeconds) -> PresignatureId | None:
        """Bind the next presignature of the stock; None when there is none."""
        return self.stock.take(height, time)

    def _apply(
        self, message: NodeMessage, height: Height, time: UnixSeconds, ancestor: Ancestor
    ) -> None:
        self.check(message)
        seat, kind, body = message.seat, message.kind, message.body
        knew = self.handout.knowing()
        if kind is Kind.RECOVER:
            self._recover(body, height, time, ancestor)
        elif kind is Kind.BOOT:
            self._boot(seat, body, height, time)
        elif kind in PHASE_OF:
            self.founding.hear(seat, kind, body, height, time)
        elif kind in TURN_KINDS:
            self.turning.hear(seat, kind, body, height, time)
        elif kind in NONCE_KINDS:
            self.commitments.hear(seat, kind, body, height)
        elif kind in STATE_KINDS:
            self.handout.hear(seat, kind, body, height)
        elif kind is not Kind.TICK:
            self.stock.hear(seat, kind, body, height, time)
        self.founding.move(height, time)
        # Who signs the block that begins a generation is known: no epoch begins in it too.
        head = self.hall.head
        if head.since < height and (
            self.turning.count(height, time) or self.turning.move(height, time, head.epoch_seconds)
        ):
            self.stock.burn()
            self.commitments.burn()
            self.handout.turned()
        self.handout.leave(knew)
        self.handout.move()
        self.stock.replenish(height, time)

    def _speaker(self, message: NodeMessage) -> Seat | Newcomer:
        """Give who speaks: a member, or who is about to be one."""
        known = self.turning.admitting.known(message.seat)
        if isinstance(known, Seat) or (known is not None and message.kind in NEWCOMER_KINDS):
            return known
        members = ", ".join(str(seat) for seat in self.hall.head.members)
        raise NotSeated(f"this assembly has the seats {members}")

    def _boot(self, index: int, body: bytes, height: Height, time: UnixSeconds) -> None:
        newcomer = self.turning.admitting.page.joining.get(index)
        known = newcomer or self.hall.seat(index)
        before, boot = read_boot(body)
        # Each start names the one that it follows, so that no old one comes again.
        if before != (b"" if known.boot is None else known.boot.signing):
            raise Unwanted("the seat has started anew since")
        if isinstance(known, Newcomer):
            self.turning.admitting.started_anew(index, boot)
            self.handout.started_anew(index)
            return
        self.hall.put_seat(index, replace(known, boot=boot, since=height))
        self.stock.started_anew(index, height, time)
        self.commitments.started_anew(index)
        self.handout.started_anew(index)

    def _recover(self, body: bytes, height: Height, time: UnixSeconds, ancestor: Ancestor) -> None:
        # Who signed it, and which generation it ends, `check` has seen.
        signed = SignedCertificate.decode(body)
        self.recovery.check_base(signed.terms, height, ancestor)
        self.stock.wipe()
        self.commitments.wipe()
        self.recovery.apply(signed, height, time)
        self.handout.wipe()
        self.founding.begin_again(height, time)


def write_boot(before: Boot | None, boot: Boot) -> bytes:
    """Write a new start: the signing key of the one before, and the new keys."""
    return rlp.encode([b"" if before is None else before.signing, boot.encode()])


def read_boot(body: bytes) -> tuple[bytes, Boot]:
    """Read a new start.

    Raises:
        Malformed: not that.
    """
    before, boot = list_of(rlp.decode(body), 2, "boot")
    return bytes_of(before, "before", 32), Boot.decode(boot)
