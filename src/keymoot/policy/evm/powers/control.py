"""Control: owners, roles, upgrades, and wrappers whose inner calls nobody reads.

Ownable, AccessControl, proxies, diamonds, Safe, ERC-4337, 6551, 725, 7579 accounts, multicalls,
routers, timelocks.
"""

from keymoot.policy.evm.powers.power import OWNERSHIP, WRAPPER, power

_SETTERS = (
    "transferOwnership",
    "safeTransferOwnership",
    "setOwner",
    "changeOwner",
    "addOwner",
    "addOwnerAddress",
    "nominateNewOwner",
    "proposeOwner",
    "setPendingOwner",
    "transferAdmin",
    "setAdmin",
    "addAdmin",
    "changeAdmin",
    "setPendingAdmin",
    "_setPendingAdmin",
    "beginDefaultAdminTransfer",
    "setAuthority",
    "transferGovernance",
    "setGovernance",
    "setGovernor",
    "setController",
    "setGuardian",
    "setManager",
    "setOperator",
    "addOperator",
    "setMinter",
    "addMinter",
    "setKeeper",
    "setStrategist",
    "setSigner",
    "addSigner",
    "setBeneficiary",
    "setRecipient",
    "setFeeRecipient",
    "setPayee",
    "rely",
    "upgradeTo",
    "setImplementation",
    "enableModule",
    "setGuard",
    "setModuleGuard",
    "setFallbackHandler",
)
"""Functions of one address that gets the power."""

_OPERATION = "(address target,uint256 value,bytes data)"
_USER_OPERATION_6 = (
    "(address sender,uint256 nonce,bytes initCode,bytes callData,uint256 callGasLimit,"
    "uint256 verificationGasLimit,uint256 preVerificationGas,uint256 maxFeePerGas,"
    "uint256 maxPriorityFeePerGas,bytes paymasterAndData,bytes signature)[]"
)
_USER_OPERATION_7 = (
    "(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,"
    "uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData,bytes signature)[]"
)

OWNERS = (
    *(power(OWNERSHIP, f"{name}(address whom)", "whom") for name in _SETTERS),
    power(OWNERSHIP, "renounceOwnership()"),
    power(OWNERSHIP, "transferOwnership(address newOwner,bool direct,bool renounce)", "newOwner"),
    power(OWNERSHIP, "grantRole(bytes32 role,address account)", "account"),
    power(OWNERSHIP, "grantRole(uint64 role,address account,uint32 delay)", "account"),
    power(OWNERSHIP, "grantRoles(address user,uint256 roles)", "user"),
    power(OWNERSHIP, "setUserRole(address user,uint8 role,bool enabled)", "user"),
    power(OWNERSHIP, "addOwnerPublicKey(bytes32 x,bytes32 y)", "x y"),
    power(OWNERSHIP, "addOwnerWithThreshold(address owner,uint256 threshold)", "owner"),
    power(OWNERSHIP, "swapOwner(address before,address old,address owner)", "owner"),
    power(OWNERSHIP, "removeOwner(address before,address owner,uint256 threshold)", "owner"),
    power(OWNERSHIP, "changeThreshold(uint256 threshold)", "threshold"),
    power(OWNERSHIP, "approveHash(bytes32 hash)", "hash"),
    power(OWNERSHIP, "installModule(uint256 kind,address module,bytes initData)", "module"),
    power(OWNERSHIP, "setOwner(bytes32 node,address owner)", "owner"),
    power(OWNERSHIP, "setSubnodeOwner(bytes32 node,bytes32 label,address owner)", "owner"),
    power(OWNERSHIP, "reclaim(uint256 id,address owner)", "owner"),
    power(OWNERSHIP, "upgrade(address proxy,address implementation)", "implementation"),
    power(
        OWNERSHIP,
        "upgradeAndCall(address proxy,address implementation,bytes data)",
        "implementation data",
    ),
    power(OWNERSHIP, "changeProxyAdmin(address proxy,address newAdmin)", "newAdmin"),
    power(WRAPPER, "upgradeToAndCall(address implementation,bytes data)", "implementation data"),
    power(
        WRAPPER,
        "diamondCut((address facet,uint8 action,bytes4[] selectors)[] cuts,address init,bytes data)",
        "cuts[].facet init data",
    ),
)

MULTICALLS = (
    power(WRAPPER, "multicall(bytes[] data)", "data"),
    power(WRAPPER, "multicall(uint256 deadline,bytes[] data)", "data"),
    power(WRAPPER, "multicall(bytes32 blockHash,bytes[] data)", "data"),
    power(WRAPPER, "multicall((address target,bytes data)[] calls)", "calls[].target calls[].data"),
    power(WRAPPER, "multicall(address[] targets,bytes[] data)", "targets data"),
    power(WRAPPER, "aggregate((address target,bytes data)[] calls)", "calls[].target calls[].data"),
    power(
        WRAPPER,
        "aggregate3((address target,bool mayFail,bytes data)[] calls)",
        "calls[].target calls[].data",
    ),
    power(
        WRAPPER,
        "aggregate3Value((address target,bool mayFail,uint256 value,bytes data)[] calls)",
        "calls[].target calls[].data",
    ),
    power(
        WRAPPER,
        "tryAggregate(bool strict,(address target,bytes data)[] calls)",
        "calls[].target calls[].data",
    ),
    power(
        WRAPPER,
        "blockAndAggregate((address target,bytes data)[] calls)",
        "calls[].target calls[].data",
    ),
    power(
        WRAPPER,
        "tryBlockAndAggregate(bool strict,(address target,bytes data)[] calls)",
        "calls[].target calls[].data",
    ),
    power(WRAPPER, "multiSend(bytes transactions)", "transactions"),
    power(WRAPPER, "batch(bytes[] calls,bool revertOnFail)", "calls"),
    power(
        WRAPPER,
        "batch((address target,address account,uint256 value,bytes data)[] calls)",
        "calls[].target calls[].data",
    ),
    power(WRAPPER, "call(address target,address account,uint256 value,bytes data)", "target data"),
    power(WRAPPER, "execute(bytes commands,bytes[] inputs,uint256 deadline)", "commands inputs"),
    power(WRAPPER, "execute(bytes commands,bytes[] inputs)", "commands inputs"),
    power(WRAPPER, "modifyLiquidities(bytes unlockData,uint256 deadline)", "unlockData"),
    power(
        WRAPPER, "modifyLiquiditiesWithoutUnlock(bytes actions,bytes[] params)", "actions params"
    ),
    power(
        WRAPPER,
        "execute((address recipient,address buyToken,uint256 minAmountOut) slippage,"
        "bytes[] actions,bytes32 tag)",
        "slippage.recipient actions",
    ),
)

ACCOUNTS = (
    power(
        WRAPPER,
        "execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,"
        "uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures)",
        "to data operation refundReceiver",
    ),
    power(
        WRAPPER,
        "execTransactionFromModule(address to,uint256 value,bytes data,uint8 operation)",
        "to data operation",
    ),
    power(
        WRAPPER,
        "execTransactionFromModuleReturnData(address to,uint256 value,bytes data,uint8 operation)",
        "to data operation",
    ),
    power(WRAPPER, f"handleOps({_USER_OPERATION_6} ops,address beneficiary)", "ops beneficiary"),
    power(WRAPPER, f"handleOps({_USER_OPERATION_7} ops,address beneficiary)", "ops beneficiary"),
    power(
        WRAPPER,
        f"handleAggregatedOps(({_USER_OPERATION_6} ops,address aggregator,bytes signature)[] ops,"
        "address beneficiary)",
        "ops beneficiary",
    ),
    power(
        WRAPPER,
        f"handleAggregatedOps(({_USER_OPERATION_7} ops,address aggregator,bytes signature)[] ops,"
        "address beneficiary)",
        "ops beneficiary",
    ),
    power(WRAPPER, "execute(address target,uint256 value,bytes data)", "target data"),
    power(WRAPPER, "execute(address target,bytes data)", "target data"),
    power(WRAPPER, "execute(bytes code,bytes data)", "code data"),
    power(WRAPPER, "execute(bytes32 mode,bytes calls)", "calls"),
    power(WRAPPER, "executeFromExecutor(bytes32 mode,bytes calls)", "calls"),
    power(WRAPPER, f"execute({_OPERATION} call)", "call.target call.data"),
    power(WRAPPER, f"execute({_OPERATION}[] calls)", "calls[].target calls[].data"),
    power(WRAPPER, f"executeBatch({_OPERATION}[] calls)", "calls[].target calls[].data"),
    power(WRAPPER, "executeBatch(address[] targets,bytes[] data)", "targets data"),
    power(WRAPPER, "executeBatch(address[] targets,uint256[] values,bytes[] data)", "targets data"),
    power(
        WRAPPER,
        "execute(address target,uint256 value,bytes data,uint8 operation)",
        "target data operation",
    ),
    power(
        WRAPPER,
        "execute(uint256 operation,address target,uint256 value,bytes data)",
        "operation target data",
    ),
    power(
        WRAPPER,
        "executeBatch(uint256[] operations,address[] targets,uint256[] values,bytes[] data)",
        "operations targets data",
    ),
    power(WRAPPER, "exec(address target,bytes data)", "target data"),
    power(WRAPPER, "exec(address target,uint256 value,bytes data)", "target data"),
    power(WRAPPER, "functionCall(address target,bytes data)", "target data"),
    power(WRAPPER, "delegatecall(address target,bytes data)", "target data"),
    power(WRAPPER, "delegateCall(address target,bytes data)", "target data"),
    power(
        WRAPPER,
        "execute(address target,uint256 value,bytes data,bytes32 before,bytes32 salt)",
        "target data",
    ),
    power(
        WRAPPER,
        "schedule(address target,uint256 value,bytes data,bytes32 before,bytes32 salt,uint256 delay)",
        "target data",
    ),
    power(
        WRAPPER,
        "executeBatch(address[] targets,uint256[] values,bytes[] data,bytes32 before,bytes32 salt)",
        "targets data",
    ),
    power(
        WRAPPER,
        "scheduleBatch(address[] targets,uint256[] values,bytes[] data,bytes32 before,bytes32 salt,"
        "uint256 delay)",
        "targets data",
    ),
    power(
        WRAPPER,
        "propose(address[] targets,uint256[] values,bytes[] calls,string description)",
        "targets calls",
    ),
)

CONTROL = (*OWNERS, *MULTICALLS, *ACCOUNTS)
