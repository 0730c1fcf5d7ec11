"""What is allowed in a policy and probably not meant."""

from keymoot.policy.chain import SOLANA
from keymoot.policy.document import Policy
from keymoot.policy.evm.rule import NATIVE_VALUE, EvmRule
from keymoot.policy.limit import MAX_FEE, VALUE
from keymoot.policy.rule import ALLOW
from keymoot.policy.solana.instruction import SystemTransfer
from keymoot.policy.solana.rule import TransferRule
from keymoot.policy.text.rule import TextRule

_SPENDERS = {"approve": "spender", "increaseAllowance": "spender"}
_RECEIVERS = ("to", "recipient", "receiver", "dst", "onBehalfOf", "beneficiary", "owner", "from")


def warnings_of(policy: Policy) -> list[str]:
    """List what an attacker would look for first; empty where nothing was found."""
    found: list[str] = []
    meters = {limit.meter for limit in policy.limits.values()}
    for rule in policy.rules:
        if rule.action == ALLOW and isinstance(rule, EvmRule):
            found += _loose(rule)
        elif rule.action == ALLOW and isinstance(rule, TransferRule):
            found += _loose_transfer(rule, metered=VALUE in meters)
        elif rule.action == ALLOW and isinstance(rule, TextRule):
            found += _loose_text(rule)
    found += _mixed(policy)
    if MAX_FEE not in meters:
        fee = "fees" if policy.chain.namespace == SOLANA else "gas"
        found.append(
            f"no limit with the meter maxFee: the agent may burn all native funds as {fee}"
        )
    if policy.expires is None:
        found.append("the policy never expires")
    fed = {name for rule in policy.rules for name in rule.spend}
    for limit in policy.limits.values():
        if limit.meter is None and limit.name not in fed:
            found.append(f'limit "{limit.name}" is fed by no rule: it limits nothing')
    return found


def _loose(rule: EvmRule) -> list[str]:
    found = []
    named = rule.arguments.keys()
    for function in rule.functions.values():
        for argument in function.arguments:
            free = argument.name not in named
            if free and argument.kind == "address" and argument.name in _RECEIVERS:
                found.append(
                    f'rule "{rule.name}" lets {function.name} name any "{argument.name}": '
                    "value can leave to anyone"
                )
        spender = _SPENDERS.get(function.name)
        if spender and not any(name in named for name in ("spender", "_spender")):
            found.append(f'rule "{rule.name}" lets {function.name} name any spender')
        amounts = [one.name for one in function.arguments if one.kind == "uint256"]
        limited = set(named) | set(rule.spend.values())
        if spender and amounts and not limited.intersection(amounts):
            found.append(f'rule "{rule.name}" lets {function.name} approve any amount')
    if not rule.functions and NATIVE_VALUE not in rule.spend.values():
        found.append(f'rule "{rule.name}" sends native value that no limit counts')
    return found


def _loose_transfer(rule: TransferRule, *, metered: bool) -> list[str]:
    counted = rule.spend or (metered and rule.instruction == SystemTransfer.NAME)
    if counted:
        return []
    tests = rule.amount.tests if rule.amount else ()
    bounded = any(test.operator in ("eq", "in", "lt", "lte") for test in tests)
    how_much = "again and again" if bounded else "any amount at once"
    return [f'rule "{rule.name}" sends what no limit counts: {how_much}']


def _mixed(policy: Policy) -> list[str]:
    found: dict[str, set[str]] = {}
    for rule in policy.rules:
        if isinstance(rule, TransferRule):
            shown = [rule.mint.wanted] if rule.mint else ["SOL"]
            for limit in rule.spend:
                found.setdefault(limit, set()).update(shown)
    return [
        f'limit "{limit}" adds up amounts of different tokens'
        for limit, assets in found.items()
        if len(assets) > 1
    ]


def _loose_text(rule: TextRule) -> list[str]:
    if not rule.prefix[-1].isalnum():
        return []
    return [f'the prefix of rule "{rule.name}" ends inside a word: "{rule.prefix}…" goes on freely']
