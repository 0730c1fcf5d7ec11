"""What is allowed in a policy and probably not meant."""

from keymoot.policy.document import Policy
from keymoot.policy.rule import ALLOW, Rule

_SPENDERS = {"approve": "spender", "increaseAllowance": "spender"}
_RECEIVERS = ("to", "recipient", "receiver", "dst", "onBehalfOf", "beneficiary", "owner", "from")


def warnings_of(policy: Policy) -> list[str]:
    """List what an attacker would look for first; empty where nothing was found."""
    found: list[str] = []
    for rule in policy.rules:
        if rule.action == ALLOW:
            found += _loose(rule)
    metered = [limit for limit in policy.limits.values() if limit.meter == "maxFee"]
    if not metered:
        found.append("no limit with the meter maxFee: the agent may burn all native funds as gas")
    if policy.expires is None:
        found.append("the policy never expires")
    fed = {name for rule in policy.rules for name in rule.spend}
    for limit in policy.limits.values():
        if limit.meter is None and limit.name not in fed:
            found.append(f'limit "{limit.name}" is fed by no rule: it limits nothing')
    return found


def _loose(rule: Rule) -> list[str]:
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
    if not rule.functions and "$value" not in rule.spend.values():
        found.append(f'rule "{rule.name}" sends native value that no limit counts')
    return found
