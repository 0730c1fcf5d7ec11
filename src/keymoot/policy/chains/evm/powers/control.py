"""Control: owners, roles, upgrades, and wrappers whose inner calls nobody reads.

Ownable, AccessControl, proxies, diamonds, Safe, ERC-4337, 6551, 725, 7579 accounts, multicalls,
routers, timelocks.
"""

import re

from keymoot.policy.chains.evm.powers.power import OWNERSHIP, WRAPPER, powers

_SETTERS = """
    transferOwnership safeTransferOwnership setOwner changeOwner addOwner addOwnerAddress
    nominateNewOwner proposeOwner setPendingOwner transferAdmin setAdmin addAdmin changeAdmin
    setPendingAdmin _setPendingAdmin beginDefaultAdminTransfer setAuthority transferGovernance
    setGovernance setGovernor setController setGuardian setManager setOperator addOperator
    setMinter addMinter setKeeper setStrategist setSigner addSigner setBeneficiary setRecipient
    setFeeRecipient setPayee rely upgradeTo setImplementation enableModule setGuard setModuleGuard
    setFallbackHandler
"""
"""Functions of one address that gets the power."""

CONTROL = (
    *powers(
        OWNERSHIP,
        "\n".join(f"{name}(address >whom)" for name in re.findall("[A-Za-z_]+", _SETTERS)),
    ),
    *powers(
        OWNERSHIP,
        """
    renounceOwnership()
    transferOwnership(address >newOwner,bool direct,bool renounce)
    grantRole(bytes32 role,address >account)
    grantRole(uint64 role,address >account,uint32 delay)
    grantRoles(address >user,uint256 roles)
    setUserRole(address >user,uint8 role,bool enabled)
    addOwnerPublicKey(bytes32 >x,bytes32 >y)
    addOwnerWithThreshold(address >owner,uint256 threshold)
    swapOwner(address before,address old,address >owner)
    removeOwner(address before,address >owner,uint256 threshold)
    changeThreshold(uint256 >threshold)
    approveHash(bytes32 >hash)
    installModule(uint256 kind,address >module,bytes initData)
    setOwner(bytes32 node,address >owner)
    setSubnodeOwner(bytes32 node,bytes32 label,address >owner)
    reclaim(uint256 id,address >owner)
    upgrade(address proxy,address >implementation)
    upgradeAndCall(address proxy,address >implementation,bytes >data)
    changeProxyAdmin(address proxy,address >newAdmin)
    """,
    ),
    *powers(
        WRAPPER,
        """
    upgradeToAndCall(address >implementation,bytes >data)
    diamondCut((address >facet,uint8 action,bytes4[] selectors)[] cuts,address >init,bytes >data)
    multicall(bytes[] >data)
    multicall(uint256 deadline,bytes[] >data)
    multicall(bytes32 blockHash,bytes[] >data)
    multicall((address >target,bytes >data)[] calls)
    multicall(address[] >targets,bytes[] >data)
    aggregate((address >target,bytes >data)[] calls)
    aggregate3((address >target,bool mayFail,bytes >data)[] calls)
    aggregate3Value((address >target,bool mayFail,uint256 value,bytes >data)[] calls)
    tryAggregate(bool strict,(address >target,bytes >data)[] calls)
    blockAndAggregate((address >target,bytes >data)[] calls)
    tryBlockAndAggregate(bool strict,(address >target,bytes >data)[] calls)
    multiSend(bytes >transactions)
    batch(bytes[] >calls,bool revertOnFail)
    batch((address >target,address account,uint256 value,bytes >data)[] calls)
    call(address >target,address account,uint256 value,bytes >data)
    execute(bytes >commands,bytes[] >inputs,uint256 deadline)
    execute(bytes >commands,bytes[] >inputs)
    modifyLiquidities(bytes >unlockData,uint256 deadline)
    modifyLiquiditiesWithoutUnlock(bytes >actions,bytes[] >params)
    execute((address >recipient,address buyToken,uint256 minAmountOut) slippage,bytes[] >actions,
        bytes32 tag)
    execTransaction(address >to,uint256 value,bytes >data,uint8 >operation,uint256 safeTxGas,
        uint256 baseGas,uint256 gasPrice,address gasToken,address >refundReceiver,bytes signatures)
    execTransactionFromModule(address >to,uint256 value,bytes >data,uint8 >operation)
    execTransactionFromModuleReturnData(address >to,uint256 value,bytes >data,uint8 >operation)
    handleOps((address sender,uint256 nonce,bytes initCode,bytes callData,uint256 callGasLimit,
        uint256 verificationGasLimit,uint256 preVerificationGas,uint256 maxFeePerGas,
        uint256 maxPriorityFeePerGas,bytes paymasterAndData,bytes signature)[] >ops,
        address >beneficiary)
    handleOps((address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,
        uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData,bytes signature)[] >ops,
        address >beneficiary)
    handleAggregatedOps(((address sender,uint256 nonce,bytes initCode,bytes callData,
        uint256 callGasLimit,uint256 verificationGasLimit,uint256 preVerificationGas,
        uint256 maxFeePerGas,uint256 maxPriorityFeePerGas,bytes paymasterAndData,
        bytes signature)[] ops,address aggregator,bytes signature)[] >ops,address >beneficiary)
    handleAggregatedOps(((address sender,uint256 nonce,bytes initCode,bytes callData,
        bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,bytes paymasterAndData,
        bytes signature)[] ops,address aggregator,bytes signature)[] >ops,address >beneficiary)
    execute(address >target,uint256 value,bytes >data)
    execute(address >target,bytes >data)
    execute(bytes >code,bytes >data)
    execute(bytes32 mode,bytes >calls)
    executeFromExecutor(bytes32 mode,bytes >calls)
    execute((address >target,uint256 value,bytes >data) call)
    execute((address >target,uint256 value,bytes >data)[] calls)
    executeBatch((address >target,uint256 value,bytes >data)[] calls)
    executeBatch(address[] >targets,bytes[] >data)
    executeBatch(address[] >targets,uint256[] values,bytes[] >data)
    execute(address >target,uint256 value,bytes >data,uint8 >operation)
    execute(uint256 >operation,address >target,uint256 value,bytes >data)
    executeBatch(uint256[] >operations,address[] >targets,uint256[] values,bytes[] >data)
    exec(address >target,bytes >data)
    exec(address >target,uint256 value,bytes >data)
    functionCall(address >target,bytes >data)
    delegatecall(address >target,bytes >data)
    delegateCall(address >target,bytes >data)
    execute(address >target,uint256 value,bytes >data,bytes32 before,bytes32 salt)
    schedule(address >target,uint256 value,bytes >data,bytes32 before,bytes32 salt,uint256 delay)
    executeBatch(address[] >targets,uint256[] values,bytes[] >data,bytes32 before,bytes32 salt)
    scheduleBatch(address[] >targets,uint256[] values,bytes[] >data,bytes32 before,bytes32 salt,
        uint256 delay)
    propose(address[] >targets,uint256[] values,bytes[] >calls,string description)
    """,
    ),
)
