"""When an action counts: its nonce and its end, held against the ledger's time.

A nonce is the time of the call in milliseconds. The exchange takes one from two days behind its
own time to a day ahead, and of each account the highest hundred only: signed long before, an
action may be kept and posted when it hurts; a hundred nonces of tomorrow lock the account today.
Source: the exchange's documentation, "Nonces and API wallets".
"""

from collections.abc import Mapping
from typing import Final, Protocol

from keymoot.base.units import Seconds, UnixSeconds
from keymoot.policy.chains.evm.hyperliquid.action import ActionIntent
from keymoot.policy.moment import show_moment
from keymoot.policy.refusal import REFUSED, Refusal

NONCE, EXPIRES_AFTER = "nonce", "expiresAfter"
NAMES: Final = (NONCE, EXPIRES_AFTER)
"""Of what a rule's `within` may speak."""

NONCE_SECONDS = Seconds(300)
"""How far a nonce may be from the ledger's time, to either side: clocks differ, and calls wait."""


class Note(Protocol):
    """Writes a comparison down, and gives its outcome."""

    def __call__(self, path: str, wanted: str, got: str, /, *, passed: bool) -> bool: ...


def out_of_window(intent: ActionIntent, now: UnixSeconds, note: Note) -> Refusal | None:
    """Refuse what no rule allows: a nonce of another time, or an action that has ended."""
    if not nonce_within(intent, now, NONCE_SECONDS, note):
        return strange_nonce(intent, now, NONCE_SECONDS)
    ends = intent.expires_after
    if ends is None or note(
        EXPIRES_AFTER, f"after {show_moment(now)}", _shown(ends), passed=ends > _ms(now)
    ):
        return None
    message = (
        f"{REFUSED}the action ended at {_shown(ends)}, and the ledger's time is "
        f"{show_moment(now)}: name a later expiresAfter, in milliseconds"
    )
    return Refusal("ACTION_EXPIRED", message, path=EXPIRES_AFTER)


def within(
    intent: ActionIntent, now: UnixSeconds, lengths: Mapping[str, Seconds], note: Note
) -> bool:
    """Hold a rule's own lengths against an action."""
    if NONCE in lengths and not nonce_within(intent, now, lengths[NONCE], note):
        return False
    if EXPIRES_AFTER not in lengths:
        return True
    ends, last = intent.expires_after, now + lengths[EXPIRES_AFTER]
    got = "none" if ends is None else _shown(ends)
    passed = ends is not None and ends <= _ms(last)
    return note(EXPIRES_AFTER, f"at most {show_moment(last)}", got, passed=passed)


def nonce_within(intent: ActionIntent, now: UnixSeconds, most: Seconds, note: Note) -> bool:
    passed = abs(intent.nonce - _ms(now)) <= _ms(most)
    return note(
        NONCE, f"at most {most} s from {show_moment(now)}", _shown(intent.nonce), passed=passed
    )


def strange_nonce(
    intent: ActionIntent, now: UnixSeconds, most: Seconds, rule: str | None = None
) -> Refusal:
    """Make the refusal of a nonce that is too far from the ledger's time."""
    far = intent.nonce - _ms(now)
    side = "ahead of" if far > 0 else "behind"
    who = "" if rule is None else f' for rule "{rule}"'
    message = (
        f"{REFUSED}the nonce {intent.nonce} is {abs(far) // 1_000} s {side} the ledger's time, "
        f"{show_moment(now)}, and may be {most} s from it{who}: a nonce is the time of the call in "
        "milliseconds, so sign when you post, and check this machine's clock"
    )
    return Refusal("NONCE_OUT_OF_WINDOW", message, rule=rule, path=NONCE)


def _ms(seconds: int) -> int:
    return 1_000 * seconds


def _shown(milliseconds: int) -> str:
    return show_moment(milliseconds // 1_000)
