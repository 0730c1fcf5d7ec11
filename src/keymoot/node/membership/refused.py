"""Newcomers that the ledger did not take in, and in what words."""

import structlog

from keymoot.committee.messages import Kind, NodeMessage, is_message
from keymoot.engine.chain_store import CertifiedRun
from keymoot.threshold.committee import MAX_SIZE

log = structlog.get_logger("keymoot.changes")


class RefusedNewcomers:
    """By seat, why the newest word of a newcomer was refused; lost when the node ends."""

    def __init__(self) -> None:
        self._words: dict[int, str] = {}

    def written(self, run: CertifiedRun) -> None:
        """Note what certified blocks say of those who would join."""
        for done in run.blocks:
            for raw, receipt in zip(done.block.transactions, done.outcome.receipts, strict=True):
                if not isinstance(raw, bytes) or not is_message(raw):
                    continue
                message = NodeMessage.decode(raw)
                # Seats are a newcomer's to name: others than there can be are nobody's.
                if message.kind is not Kind.JOIN or not 1 <= message.seat <= MAX_SIZE:
                    continue
                self._words.pop(message.seat, None)
                if not receipt.status:
                    self._words[message.seat] = f"{receipt.error_code}: {receipt.error}"
                    log.warning("newcomer.refused", seat=message.seat, reason=receipt.error)

    def reason(self, seat: int) -> str | None:
        """Give the refusal's code and words; None where it was taken in, or has not asked."""
        return self._words.get(seat)
