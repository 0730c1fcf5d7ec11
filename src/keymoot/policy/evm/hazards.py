"""EVM transactions that move value around a rule: refused by name where no rule names them."""

from keymoot.base.transaction import EvmTransaction
from keymoot.crypto.keccak import keccak256_raw

_BY_SIGNATURE = {
    "approve(address,uint256)": ("APPROVAL", "approve gives a spender the tokens"),
    "increaseAllowance(address,uint256)": ("APPROVAL", "increaseAllowance gives a spender tokens"),
    "increaseApproval(address,uint256)": ("APPROVAL", "increaseApproval gives a spender tokens"),
    "setApprovalForAll(address,bool)": ("APPROVAL_FOR_ALL", "setApprovalForAll gives everything"),
    "approveAndCall(address,uint256,bytes)": ("APPROVAL", "approveAndCall gives a spender tokens"),
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": ("PERMIT", "permit approves"),
    "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)": (
        "PERMIT",
        "permit approves",
    ),
    "approve(address,address,uint160,uint48)": ("PERMIT", "Permit2's approve gives an allowance"),
    "transferFrom(address,address,uint256)": ("TRANSFER_FROM", "transferFrom moves tokens"),
    "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)": (
        "WRAPPER",
        "a Safe's execTransaction can delegatecall",
    ),
    "multicall(bytes[])": ("WRAPPER", "multicall hides other calls"),
    "multicall(uint256,bytes[])": ("WRAPPER", "multicall hides other calls"),
    "aggregate((address,bytes)[])": ("WRAPPER", "aggregate hides other calls"),
    "aggregate3((address,bool,bytes)[])": ("WRAPPER", "aggregate3 hides other calls"),
    "multiSend(bytes)": ("WRAPPER", "multiSend hides other calls"),
    "execute(address,uint256,bytes)": ("WRAPPER", "execute hides another call"),
    "execute(bytes32,bytes)": ("WRAPPER", "execute hides other calls"),
    "executeBatch((address,uint256,bytes)[])": ("WRAPPER", "executeBatch hides other calls"),
    "upgradeToAndCall(address,bytes)": ("WRAPPER", "an upgrade can delegatecall"),
    "transferOwnership(address)": ("OWNERSHIP", "transferOwnership gives control away"),
}

_BY_SELECTOR = {
    keccak256_raw(signature.encode())[:4]: found for signature, found in _BY_SIGNATURE.items()
}


def hazard_of(transaction: EvmTransaction) -> tuple[str, str] | None:
    """Give the reason word and a description, or None for an ordinary transaction."""
    if transaction.to is None:
        return "CONTRACT_CREATION", "creating a contract runs code that nobody decoded"
    return _BY_SELECTOR.get(transaction.data[:4])
