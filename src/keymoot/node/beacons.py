"""Shares of the beacons of recent heights, as the enclaves give them.

A share is good or bad under the keys, the message and the generation of its height, whatever
has come since: those are noted as the block comes. Where they were not, nobody is blamed.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from keymoot.attest.block import results_hash
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.engine import archive
from keymoot.engine.ledger import Ledger
from keymoot.moot.outcome import beacon_message
from keymoot.moot.roots import CERTIFICATE
from keymoot.runtime.assembly import assembly_in
from keymoot.runtime.receipt import result_of
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.committee import Committee
from keymoot.threshold.root import Root

MAX_HEIGHTS = 4_096
"""Heights whose shares are remembered."""

log = structlog.get_logger("keymoot.beacons")


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what the enclaves signed the beacon of a height.

    Attributes:
        generation: The generation at the end of its block.
        root: The beacon's root in the epoch that lived then.
    """

    generation: Hash32
    root: Root


class Beacons:
    """Collects shares, and lets requesters wait for enough of them."""

    def __init__(
        self,
        committee: Callable[[], Committee],
        message: Callable[[Height, Hash32], bytes | None],
    ) -> None:
        """Collect for an assembly.

        Args:
            committee: Says who keeps the keys now.
            message: Says what the beacon of a height is over in a generation; None if the
                block is not there.
        """
        self._committee = committee
        self._message = message
        self._terms: dict[Height, Terms] = {}
        self._shares: dict[Height, dict[int, bytes]] = {}
        self._bad: dict[Height, set[int]] = {}
        self._checked: dict[Height, set[int]] = {}
        self._waiters: dict[Height, list[asyncio.Future[None]]] = {}
        self._known: dict[Height, bytes] = {}
        self._doubted: set[Height] = set()

    def note(self, height: Height, terms: Terms | None) -> None:
        """Remember under what a height is signed; call it as its block comes."""
        if terms is None:
            return
        self._terms[height] = terms
        while len(self._terms) > MAX_HEIGHTS:
            del self._terms[next(iter(self._terms))]

    def feed(self, seat: int, height: Height, share: bytes) -> None:
        """Take a seat's share; empty where it gave none."""
        if not share:
            return
        self._shares.setdefault(height, {})[seat] = share
        if len(self._shares) > MAX_HEIGHTS:
            oldest = next(iter(self._shares))
            del self._shares[oldest]
            self._bad.pop(oldest, None)
            self._checked.pop(oldest, None)
            self._known.pop(oldest, None)
            self._doubted.discard(oldest)
        if self._enough(height):
            for future in self._waiters.pop(height, []):
                if not future.done():
                    future.set_result(None)

    async def shares(
        self, height: Height, timeout_seconds: float, *, checked: bool = False
    ) -> dict[int, bytes]:
        """Give the shares of a height, once there are enough or time is up.

        They are given as they came: whoever combines them sees whether they are good.

        Args:
            height: The block's.
            timeout_seconds: How long to wait.
            checked: Leave bad ones out, by a pairing each: for those who saw that one is.
        """
        if checked:
            self._check(height)
        try:
            async with asyncio.timeout(timeout_seconds):
                while not self._enough(height):
                    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.setdefault(height, []).append(future)
                    await future
                    if checked:
                        self._check(height)
        except TimeoutError:
            pass
        return self._good(height)

    def fits(self, height: Height, shown: bytes) -> bool:
        """Tell whether enclaves need to see what a requester shows as the beacon of a height.

        They look at each that they do not know, at the price of a pairing. So the one that they
        took is remembered, and once they found one to be wrong the node looks first.
        """
        known = self._known.get(height)
        if known is not None:
            return shown == known
        if height not in self._doubted:
            return True
        asked = self._asked(height)
        if asked is None:
            return True
        root, message = asked
        with suppress(Malformed):
            if bls.verify(root.public, message, G1.decode(shown)):
                self._known[height] = shown
                return True
        return False

    def judged(self, height: Height, shown: bytes, *, good: int, bad: int) -> None:
        """Take over how many enclaves took a shown beacon, and how many refused it."""
        faults = self._committee().faults
        if height not in self._shares:
            return
        if good > faults:
            self._known[height] = shown
        elif bad > faults:
            self._doubted.add(height)

    def _enough(self, height: Height) -> bool:
        terms = self._terms.get(height)
        # Requesters count with those who keep the keys now, the shares are of those of then.
        degree = 0 if terms is None else terms.root.degree
        return len(self._good(height)) > max(degree, self._committee().degree)

    def _good(self, height: Height) -> dict[int, bytes]:
        bad = self._bad.get(height, set())
        return {seat: one for seat, one in self._shares.get(height, {}).items() if seat not in bad}

    def _check(self, height: Height) -> None:
        # Each share is looked at once, however often somebody asks.
        checked = self._checked.setdefault(height, set())
        fresh = {at: one for at, one in self._good(height).items() if at not in checked}
        if not fresh:
            return
        asked = self._asked(height)
        if asked is None:
            log.debug("beacon.late_shares", seats=[*sorted(fresh)], height=height)
            return
        root, message = asked
        checked.update(fresh)
        for seat, share in fresh.items():
            good = False
            with suppress(Malformed):
                good = bls.check(root, seat, message, G1.decode(share))
            if not good:
                log.warning("beacon.bad_share", seat=seat, height=height)
                self._bad.setdefault(height, set()).add(seat)

    def _asked(self, height: Height) -> tuple[Root, bytes] | None:
        """Give the root and the message under which shares of a height are good or bad."""
        terms = self._terms.get(height)
        message = None if terms is None else self._message(height, terms.generation)
        return None if terms is None or message is None else (terms.root, message)


def message_at(ledger: Ledger, height: Height, generation: Hash32) -> bytes | None:
    """Give what the beacon of a height is over, by the node's own reckoning."""
    disk = ledger.engine.snapshot
    block = archive.block_at(disk, height)
    if block is None:
        return None
    receipts = archive.receipts_at(disk, height, len(block.transactions))
    return beacon_message(
        ledger.network,
        generation,
        height,
        block.header.hash(),
        results_hash([result_of(receipt) for receipt in receipts]),
    )


def terms_now(ledger: Ledger) -> Terms | None:
    """Give under what the newest block is signed; None before there are keys."""
    hall = assembly_in(ledger.state(), ledger.network).hall
    if not hall.founded or not hall.ready:
        return None
    return Terms(hall.head.generation, hall.root(CERTIFICATE))
