"""Which EVM transactions are withdrawals: only to the recovery address."""

from keymoot.base.fixed import Address
from keymoot.policy.chains.evm.calldata import BadCalldata
from keymoot.policy.chains.evm.intent import EvmIntent
from keymoot.policy.chains.evm.signature import Function, parse_function
from keymoot.policy.names import checksummed
from keymoot.policy.refusal import Refusal, not_a_withdrawal, too_high_a_fee

_FORMS: dict[bytes, tuple[Function, dict[str, str]]] = {
    function.selector: (function, roles)
    for function, roles in (
        (parse_function("transfer(address to,uint256 amount)", ""), {"to": "recovery"}),
        (
            parse_function("withdraw(uint256 assets,address receiver,address owner)", ""),
            {"receiver": "recovery", "owner": "wallet"},
        ),
        (
            parse_function("redeem(uint256 shares,address receiver,address owner)", ""),
            {"receiver": "recovery", "owner": "wallet"},
        ),
    )
}


MAX_FEE_WEI = 5 * 10**16
"""Fee of a withdrawal at most (0.05 of the chain's native token), where its owner states no other.

Room for 166 gwei where an exit from a vault takes 300,000 gas, or 2,380 gwei of a plain
transfer. What a chain's own gas costs may lie far from that, so the owner may state more.
"""


def check_evm_withdrawal(
    intent: EvmIntent, recovery: Address, max_fee: int | None = None
) -> Refusal | None:
    """Tell why an owner's transaction is no withdrawal to `recovery`; None if it is one.

    A withdrawal is a native transfer, ERC-20 `transfer`, or ERC-4626 `withdraw` or
    `redeem` of the wallet's own shares, each to the recovery address, with no value
    beside the token forms, and a fee of at most `max_fee` wei (None: MAX_FEE_WEI).
    """
    tx = intent.transaction
    most = MAX_FEE_WEI if max_fee is None else max_fee
    if intent.max_fee > most:
        return too_high_a_fee(intent.max_fee, most, "wei")
    if not tx.data:
        if tx.to == recovery:
            return None
        return not_a_withdrawal("to", f"a withdrawal goes to {checksummed(recovery)}")
    form = _FORMS.get(tx.data[:4])
    if form is None:
        forms = ", ".join(function.signature for function, _ in _FORMS.values())
        return not_a_withdrawal("data", f"a withdrawal is a plain transfer, or one of {forms}")
    function, roles = form
    if tx.value:
        return not_a_withdrawal("value", "a withdrawal of tokens sends no value")
    try:
        intent.calldata.arguments(function)
    except BadCalldata as error:
        return not_a_withdrawal("data", str(error))
    for name, role in roles.items():
        wanted = recovery if role == "recovery" else intent.wallet
        if intent.calldata.argument(function, name) != wanted:
            return not_a_withdrawal(f"args.{name}", f"{name} has to be {checksummed(wanted)}")
    return None
