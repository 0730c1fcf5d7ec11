"""Why a wish was refused, in fields."""

from dataclasses import dataclass, field

from keymoot.base.errors import Portable
from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.policy.moment import format_moment

REFUSED = "keymoot refused: "


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal.

    Attributes:
        reason: A stable word, such as NO_RULE or LIMIT_EXCEEDED.
        message: What happened, what was allowed, what to do.
        rule: The rule that denied, or came closest to allowing.
        path: Where in the wish: `to`, `value`, `args.spender`, …
        limit: The limit that was exceeded; with `max`, `used`, `requested` (base units).
        available_at: When the same wish would fit, if time alone cures it.
        decoded: What the wish was understood to be.
    """

    reason: str
    message: str
    rule: str | None = None
    path: str | None = None
    limit: str | None = None
    max: int | None = None
    used: int | None = None
    requested: int | None = None
    available_at: UnixSeconds | None = None
    decoded: Json = field(default=None)

    def to_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"reason": self.reason}
        texts = (("rule", self.rule), ("path", self.path), ("limit", self.limit))
        told |= {name: text for name, text in texts if text is not None}
        amounts = (("max", self.max), ("used", self.used), ("requested", self.requested))
        told |= {name: str(amount) for name, amount in amounts if amount is not None}
        if self.available_at is not None:
            told["availableAt"] = format_moment(self.available_at)
        if self.decoded is not None:
            told["decoded"] = self.decoded
        return told


def too_high_a_fee(fee: int, most: int, unit: str) -> Refusal:
    """Refuse a withdrawal whose fee would take too much of what goes home."""
    message = (
        f"the fee of a withdrawal is at most {most} {unit}, got {fee}: lower its price or its "
        "limit of work, or state a higher fee with the withdrawal (--max-fee)"
    )
    return not_a_withdrawal("maxFee", message)


def not_a_withdrawal(path: str, message: str) -> Refusal:
    return Refusal("NOT_A_WITHDRAWAL", REFUSED + message, path=path)


class NeverSigned(Portable):
    """A wish that no policy could allow; carries its refusal."""

    def __init__(self, reason: str, message: str, path: str) -> None:
        super().__init__(REFUSED + message)
        self.refusal = Refusal(reason, REFUSED + message, path=path)


def method_not_signed(method: str, why: str) -> NeverSigned:
    """Make the refusal of a method that is signed for nobody, or not on this chain."""
    return NeverSigned("METHOD_NOT_ALLOWED", f"{method} is not signed: {why}", "method")
