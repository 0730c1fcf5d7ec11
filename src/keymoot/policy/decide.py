"""Hold an intent against a policy: the one place where yes is said.

Pure. The same arguments give the same decision on every replica.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.registry import kind_of
from keymoot.policy.document import Policy
from keymoot.policy.held import MAX_RESERVATIONS, MAX_STEPS, LimitAsk, Reservation, ask
from keymoot.policy.intent import Intent
from keymoot.policy.limit import COUNT, MAX_FEE, VALUE, Limit, Usage
from keymoot.policy.match import Match, Step, Trace, Trial, steps_of
from keymoot.policy.moment import format_moment
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.rule import ALLOW, DENY
from keymoot.policy.work import comparisons, too_much


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes with what it spends, or no with its refusal.

    Attributes:
        rule: The rule that allowed; of several transfers, the first one's.
        usage: Usage by limit after a yes; only limits that changed.
        reservations: What this slot (chain and nonce) now holds of limits.
        refusal: None for a yes.
        compared: Every comparison, in order; of some rules what makes them.
        decoded: What the wish was understood to be.
    """

    rule: str | None
    usage: dict[str, Usage]
    reservations: tuple[Reservation, ...]
    refusal: Refusal | None
    compared: Trace
    decoded: dict[str, Json]

    @property
    def trace(self) -> tuple[Step, ...]:
        """Every comparison, in order, for people."""
        return steps_of(self.compared)

    @property
    def allowed(self) -> bool:
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
    trace: Trace = []
    decoded = intent.decoded()
    # 1. The policy is alive, and for this chain.
    refusal = _general(policy, intent, now)
    # 2. It is no more work than is done.
    if refusal is None:
        refusal = too_much(comparisons(policy, intent))
    if refusal is None:
        # 3. Each rule is tried on each transfer; the trace keeps every comparison.
        trials = kind_of(intent).try_rules(policy.rules, intent, now, trace)
        # 4. A DENY of any of them wins over every ALLOW; each has its own first ALLOW.
        chosen = _choose(trials)
        if isinstance(chosen, Refusal):
            refusal = chosen
        else:
            for match in chosen:
                match.understood(decoded)
            # 5. Limits, of all of them together: reserve, or refuse.
            return _reserve(policy, intent, chosen, usage, held, now, trace, decoded)
    return Decision(None, {}, (), replace(refusal, decoded=decoded), trace, decoded)


def _choose(trials: list[Trial]) -> list[Match] | Refusal:
    for trial in trials:
        denied = next((m for m in trial.matches if m.rule.action == DENY and m.holds), None)
        if denied is not None:
            why = f'{REFUSED}rule "{denied.rule.name}" denies this'
            return Refusal("DENIED_BY_RULE", why, rule=denied.rule.name)
    chosen: list[Match] = []
    for trial in trials:
        # The first in the document's order counts.
        match = next((m for m in trial.matches if m.rule.action == ALLOW and m.holds), None)
        if match is None:
            return trial.unmatched()
        chosen.append(match)
    return chosen


def _general(policy: Policy, intent: Intent, now: UnixSeconds) -> Refusal | None:
    if policy.expires is not None and now > policy.expires:
        when = format_moment(policy.expires)
        message = f"{REFUSED}the policy expired at {when}: its owner has to set a new one"
        return Refusal("POLICY_EXPIRED", message)
    # Where the wish names no network, what is left to compare is the chain.
    if intent.network not in (str(policy.chain), policy.chain.namespace):
        message = f"{REFUSED}the policy is for chain {policy.chain}, not {intent.network}"
        return Refusal("WRONG_CHAIN", message, path="chainId")
    return None


def _reserve(
    policy: Policy,
    intent: Intent,
    matches: list[Match],
    usage: Mapping[str, Usage],
    held: tuple[Reservation, ...],
    now: UnixSeconds,
    trace: Trace,
    decoded: dict[str, Json],
) -> Decision:
    rule = matches[0].rule
    after: dict[str, Usage] = {}
    counted = {limit.name for limit in policy.limits.values() if limit.window is not None}
    # What was held of limits that this policy does not have stays held.
    holds = [reservation for reservation in held if reservation.limit not in counted]
    for limit in policy.limits.values():
        feeding = [match for match in matches if limit.name in match.rule.spend]
        amount = _amount(limit, intent, feeding)
        steps = [reservation for reservation in held if reservation.limit == limit.name]
        spent = usage.get(limit.name, Usage())
        if not amount:
            holds += steps if limit.window is not None else []
            if amount is None:
                continue
            # What asks nothing adds to no window, so an allowance can be taken back always.
            asked = LimitAsk(0, Usage(), spent, ())
        elif limit.window is None:
            asked = LimitAsk(amount, Usage(), spent, ())
        else:
            asked = ask(limit, amount, spent, steps, now)
        passed = asked.fits(limit, now)
        shown = f"{asked.beside.used(limit, now)} + {amount}"
        trace.append(Step(rule.name, limit.name, f"at most {limit.max}", shown, passed))
        if not passed:
            match = feeding[0] if feeding else matches[0]
            refusal = replace(_exceeded(limit, match, asked, now), decoded=decoded)
            return Decision(None, {}, (), refusal, trace, decoded)
        if amount and limit.window is not None:
            after[limit.name] = asked.usage.add(limit, amount, now)
            holds += [*asked.stays, Reservation(limit.name, amount, now)][-MAX_STEPS:]
    return Decision(rule.name, after, tuple(holds[-MAX_RESERVATIONS:]), None, trace, decoded)


def _amount(limit: Limit, intent: Intent, feeding: list[Match]) -> int | None:
    """Sum what this limit is asked for; None where nothing of the wish feeds it."""
    if limit.meter is not None:
        amounts = {MAX_FEE: intent.max_fee, COUNT: 1, VALUE: intent.value}
        return amounts[limit.meter]
    if not feeding:
        return None
    return sum(match.amount(match.rule.spend[limit.name]) for match in feeding)


def _exceeded(limit: Limit, match: Match, asked: LimitAsk, now: UnixSeconds) -> Refusal:
    what, wanted = match.what, asked.amount
    used = asked.beside.used(limit, now)
    if limit.window is None:
        message = f"{REFUSED}{limit.name} allows {limit.max} a transaction, {what} needs {wanted}"
        at = None
    else:
        left = max(limit.max - used, 0)
        message = f"{REFUSED}{limit.name} has {left} left, {what} needs {wanted}"
        at = asked.beside.available_at(limit, wanted, now)
    source = match.rule.spend.get(limit.name)
    path = None if source is None else match.path(source)
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
