"""Hold an intent against a policy: the one place where yes is said.

Pure. The same arguments give the same decision on every replica.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.policy.document import Policy
from keymoot.policy.hazards import hazard_of
from keymoot.policy.intent import Intent
from keymoot.policy.limit import COUNT, MAX_FEE, VALUE, Limit, Reservation, Usage
from keymoot.policy.match import CALLDATA, FUNCTION, Match, Step
from keymoot.policy.moment import format_moment
from keymoot.policy.names import checksummed
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.rule import ALLOW, DENY, NATIVE_VALUE


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes with what it spends, or no with its refusal.

    Attributes:
        rule: The rule that allowed.
        usage: Usage by limit after a yes; only limits that changed.
        reservations: What this nonce now holds of each windowed limit.
        refusal: None for a yes.
        trace: Every comparison, in order.
        decoded: What the transaction was understood to be.
    """

    rule: str | None
    usage: dict[str, Usage]
    reservations: tuple[Reservation, ...]
    refusal: Refusal | None
    trace: tuple[Step, ...]
    decoded: dict[str, Json]

    @property
    def allowed(self) -> bool:
        """Whether to sign."""
        return self.refusal is None


def decide(
    policy: Policy,
    intent: Intent,
    usage: Mapping[str, Usage],
    held: tuple[Reservation, ...],
    now: UnixSeconds,
) -> Decision:
    """Decide about one intent.

    Args:
        policy: The wallet's policy.
        intent: From `read_intent`.
        usage: What was spent, by limit; missing is nothing.
        held: What an earlier transaction of the same chain and nonce holds.
        now: The block's time.
    """
    trace: list[Step] = []
    decoded = intent.decoded()
    # 1. The policy is alive, and for this chain.
    refusal = _general(policy, intent, now)
    if refusal is None:
        # 2. Each rule is tried; the trace keeps every comparison.
        matches = [Match(rule, intent, trace).run() for rule in policy.rules]
        # 3. A DENY wins over any ALLOW; the first ALLOW in the document's order counts.
        denied = next((m for m in matches if m.rule.action == DENY and m.holds), None)
        match = next((m for m in matches if m.rule.action == ALLOW and m.holds), None)
        if denied is not None:
            why = f'{REFUSED}rule "{denied.rule.name}" denies this'
            refusal = Refusal("DENIED_BY_RULE", why, rule=denied.rule.name)
        elif match is None:
            refusal = _unmatched(matches, intent)
        else:
            decoded |= match.decoded_call()
            # 4. Limits: reserve, or refuse.
            return _reserve(policy, intent, match, usage, held, now, trace, decoded)
    return Decision(None, {}, (), replace(refusal, decoded=decoded), tuple(trace), decoded)


def _general(policy: Policy, intent: Intent, now: UnixSeconds) -> Refusal | None:
    if policy.expires is not None and now > policy.expires:
        when = format_moment(policy.expires)
        message = f"{REFUSED}the policy expired at {when}: its owner has to set a new one"
        return Refusal("POLICY_EXPIRED", message)
    if intent.chain != policy.chain:
        message = f"{REFUSED}the policy is for chain eip155:{policy.chain}, not {intent.chain}"
        return Refusal("WRONG_CHAIN", message, path="chainId")
    return None


def _unmatched(matches: list[Match], intent: Intent) -> Refusal:
    """Name the hazard, or what stopped the rule that went farthest."""
    allows = [m for m in matches if m.rule.action == ALLOW and not m.holds]
    closest = max(allows, key=lambda match: match.stopped or 0, default=None)
    if closest is not None and closest.step is not None and (closest.stopped or 0) >= CALLDATA:
        step = closest.step
        word = "MALFORMED_CALLDATA" if step.path == "data" else "CONDITION_FAILED"
        message = f'{REFUSED}rule "{step.rule}" wants {step.path} {step.wanted}, got {step.got}'
        return Refusal(word, message, rule=step.rule, path=step.path)
    hazard = hazard_of(intent.transaction)
    if hazard is not None:
        return Refusal(hazard[0], f"{REFUSED}{hazard[1]}, and no rule names it here", path="data")
    if closest is not None and closest.stopped == FUNCTION and closest.step is not None:
        message = (
            f'{REFUSED}no rule allows this function there; "{closest.rule.name}" comes closest'
        )
        return Refusal("NO_RULE", message, rule=closest.rule.name, path=closest.step.path)
    to = intent.transaction.to
    target = "anything" if to is None else checksummed(to)
    return Refusal("NO_RULE", f"{REFUSED}no rule allows calling {target}", path="to")


def _reserve(
    policy: Policy,
    intent: Intent,
    match: Match,
    usage: Mapping[str, Usage],
    held: tuple[Reservation, ...],
    now: UnixSeconds,
    trace: list[Step],
    decoded: dict[str, Json],
) -> Decision:
    rule = match.rule
    held_by_limit = {one.limit: one for one in held}
    after: dict[str, Usage] = {}
    reservations: list[Reservation] = []
    for limit in policy.limits.values():
        amount = _amount(limit, intent, match)
        earlier = held_by_limit.get(limit.name)
        if amount is None and (earlier is None or limit.window is None):
            continue
        wanted, before = amount or 0, usage.get(limit.name, Usage())
        if limit.window is not None and earlier is not None:
            # The same nonce again, dated later: only what is more is new.
            before = before.take_back(earlier.bucket_end, earlier.amount)
            wanted = max(wanted, earlier.amount)
        used = 0 if limit.window is None else before.used(limit, now)
        passed = used + wanted <= limit.max
        trace.append(
            Step(rule.name, limit.name, f"at most {limit.max}", f"{used} + {wanted}", passed)
        )
        if not passed:
            refusal = _exceeded(limit, match, used, wanted, before, now)
            refusal = replace(refusal, decoded=decoded)
            return Decision(None, {}, (), refusal, tuple(trace), decoded)
        if limit.window is not None:
            after[limit.name] = before.add(limit, wanted, now)
            reservations.append(Reservation(limit.name, wanted, limit.bucket_end(now)))
    return Decision(rule.name, after, tuple(reservations), None, tuple(trace), decoded)


def _amount(limit: Limit, intent: Intent, match: Match) -> int | None:
    if limit.meter is not None:
        amounts = {MAX_FEE: intent.max_fee_wei, COUNT: 1, VALUE: intent.transaction.value}
        return amounts[limit.meter]
    source = match.rule.spend.get(limit.name)
    if source is None:
        return None
    return intent.transaction.value if source == NATIVE_VALUE else int(match.arguments[source])


def _exceeded(
    limit: Limit, match: Match, used: int, wanted: int, usage: Usage, now: UnixSeconds
) -> Refusal:
    what = match.function.name if match.function else "the transfer"
    left = limit.max - used
    if limit.window is None:
        message = f"{REFUSED}{limit.name} allows {limit.max} a transaction, {what} needs {wanted}"
        at = None
    else:
        message = f"{REFUSED}{limit.name} has {max(left, 0)} left, {what} needs {wanted}"
        at = usage.available_at(limit, wanted, now)
    source = match.rule.spend.get(limit.name)
    path = None if source is None else ("value" if source == NATIVE_VALUE else f"args.{source}")
    return Refusal(
        "LIMIT_EXCEEDED",
        message,
        rule=match.rule.name,
        path=path,
        limit=limit.name,
        max=limit.max,
        used=used,
        requested=wanted,
        available_at=at,
    )
