"""Tokens: transfers, approvals, operators and permits of every standard.

ERC-20 and its variants, 223, 677, 721, 777, 1155, 1363, 2612, 3009, 4494, 6909, 7984, LSP7;
DAI, Permit2, and the delegations of lending markets and registries.
"""

from keymoot.policy.chains.evm.powers.power import (
    APPROVAL,
    APPROVAL_FOR_ALL,
    DELEGATION,
    PERMIT,
    REVOCATION,
    TRANSFER,
    TRANSFER_FROM,
    powers,
)

TOKENS = (
    *powers(
        TRANSFER,
        """
    transfer(address >to,uint256 #amount)
    transfer(address >to,uint256 #amount,bytes data)
    transfer(address >receiver,uint256 id,uint256 #amount)
    transfer(address <from,address >to,uint256 #amount,bool force,bytes data)
    transferAndCall(address >to,uint256 #amount)
    transferAndCall(address >to,uint256 #amount,bytes data)
    transferWithMemo(address >to,uint256 #amount,bytes32 memo)
    safeTransfer(address >to,uint256 #amount)
    send(address >recipient,uint256 #amount,bytes data)
    push(address >dst,uint256 #amount)
    transferBatch(address[] >to,uint256[] #amounts)
    batchTransfer(address[] >to,uint256[] #amounts)
    multiTransfer(address[] >to,uint256[] #amounts)
    disperseEther(address[] >recipients,uint256[] #values)
    disperseToken(address @token,address[] >recipients,uint256[] #values)
    disperseTokenSimple(address @token,address[] >recipients,uint256[] #values)
    transferWithAuthorization(address from,address >to,uint256 #value,uint256 validAfter,
        uint256 validBefore,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)
    transferWithAuthorization(address from,address >to,uint256 #value,uint256 validAfter,
        uint256 validBefore,bytes32 nonce,bytes signature)
    receiveWithAuthorization(address from,address >to,uint256 #value,uint256 validAfter,
        uint256 validBefore,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)
    receiveWithAuthorization(address from,address >to,uint256 #value,uint256 validAfter,
        uint256 validBefore,bytes32 nonce,bytes signature)
    """,
    ),
    *powers(
        TRANSFER_FROM,
        """
    transferFrom(address <from,address >to,uint256 #amount)
    transferFrom(address <from,address >to,uint256 #amount,bytes data)
    transferFrom(address <sender,address >receiver,uint256 id,uint256 #amount)
    transferFromAndCall(address <from,address >to,uint256 #amount)
    transferFromAndCall(address <from,address >to,uint256 #amount,bytes data)
    safeTransferFrom(address <from,address >to,uint256 id)
    safeTransferFrom(address <from,address >to,uint256 id,bytes data)
    safeTransferFrom(address <from,address >to,uint256 id,uint256 #amount,bytes data)
    safeBatchTransferFrom(address <from,address >to,uint256[] ids,uint256[] #amounts,bytes data)
    operatorSend(address <sender,address >recipient,uint256 #amount,bytes data,bytes more)
    move(address <src,address >dst,uint256 #amount)
    transferFrom(address <from,address >to,uint160 #amount,address @token)
    transferFrom((address <from,address >to,uint160 #amount,address @token)[] transfers)
    permitTransferFrom(((address @token,uint256 amount) permitted,uint256 nonce,
        uint256 deadline) permit,(address >to,uint256 #requestedAmount) details,address owner,
        bytes signature)
    permitTransferFrom(((address @token,uint256 amount)[] permitted,uint256 nonce,
        uint256 deadline) permit,(address >to,uint256 #requestedAmount)[] details,address owner,
        bytes signature)
    permitWitnessTransferFrom(((address @token,uint256 amount) permitted,uint256 nonce,
        uint256 deadline) permit,(address >to,uint256 #requestedAmount) details,address owner,
        bytes32 witness,string kind,bytes signature)
    permitWitnessTransferFrom(((address @token,uint256 amount)[] permitted,uint256 nonce,
        uint256 deadline) permit,(address >to,uint256 #requestedAmount)[] details,address owner,
        bytes32 witness,string kind,bytes signature)
    """,
    ),
    *powers(
        APPROVAL,
        """
    approve(address >spender,uint256 #amount)
    approve(address >spender,uint256 id,uint256 #amount)
    safeApprove(address >spender,uint256 #amount)
    increaseAllowance(address >spender,uint256 #added)
    increaseApproval(address >spender,uint256 #added)
    approveAndCall(address >spender,uint256 #amount)
    approveAndCall(address >spender,uint256 #amount,bytes data)
    authorizeOperator(address >operator,uint256 #amount,bytes data)
    increaseAllowance(address >operator,uint256 #added,bytes data)
    approveDelegation(address >delegatee,uint256 #amount)
    delegationWithSig(address <delegator,address >delegatee,uint256 #value,uint256 deadline,uint8 v,
        bytes32 r,bytes32 s)
    setPreSignature(bytes >order,bool signed)
    """,
    ),
    *powers(
        APPROVAL_FOR_ALL,
        """
    setApprovalForAll(address >operator,bool approved)
    authorizeOperator(address >operator)
    setOperator(address >operator,bool approved)
    setOperator(address >operator,uint48 until)
    allow(address >manager,bool allowed)
    allowBySig(address <owner,address >manager,bool allowed,uint256 nonce,uint256 expiry,uint8 v,
        bytes32 r,bytes32 s)
    setAuthorization(address >authorized,bool approved)
    setAuthorizationWithSig((address <authorizer,address >authorized,bool approved,uint256 nonce,
        uint256 deadline) authorization,(uint8 v,bytes32 r,bytes32 s) signature)
    approveManager(address >manager,bool allowed)
    approvePlugin(address >plugin)
    hope(address >usr)
    setRelayerApproval(address <sender,address >relayer,bool approved)
    permitForAll(address <owner,address >operator,bool approved,uint256 deadline,uint256 nonce,
        bytes signature)
    """,
    ),
    *powers(
        PERMIT,
        """
    permit(address <owner,address >spender,uint256 #value,uint256 deadline,uint8 v,bytes32 r,
        bytes32 s)
    permit(address <owner,address >spender,uint256 #value,uint256 deadline,bytes signature)
    permit(address <holder,address >spender,uint256 nonce,uint256 expiry,bool #allowed,uint8 v,
        bytes32 r,bytes32 s)
    permit(address >spender,uint256 tokenId,uint256 deadline,uint8 v,bytes32 r,bytes32 s)
    permit(address >spender,uint256 tokenId,uint256 deadline,bytes signature)
    permit(address >spender,uint256 tokenId,uint256 deadline,uint256 nonce,bytes signature)
    approve(address @token,address >spender,uint160 #amount,uint48 expiration)
    permit(address <owner,((address @token,uint160 #amount,uint48 expiration,uint48 nonce) details,
        address >spender,uint256 sigDeadline) single,bytes signature)
    permit(address <owner,((address @token,uint160 #amount,uint48 expiration,uint48 nonce)[] details,
        address >spender,uint256 sigDeadline) batch,bytes signature)
    """,
    ),
    *powers(
        DELEGATION,
        """
    delegate(address >delegatee)
    delegateBySig(address >delegatee,uint256 nonce,uint256 expiry,uint8 v,bytes32 r,bytes32 s)
    setDelegate(address >delegate)
    setDelegate(bytes32 id,address >delegate)
    setApprovedDelegate(address >delegate)
    setApprovedDelegate(address >delegate,bool approved)
    delegateAll(address >to,bytes32 rights,bool enable)
    delegateForAll(address >delegate,bool enable)
    delegateContract(address >to,address contract_,bytes32 rights,bool enable)
    delegateERC20(address >to,address contract_,bytes32 rights,uint256 #amount)
    delegateERC721(address >to,address contract_,uint256 id,bytes32 rights,bool enable)
    delegateERC1155(address >to,address contract_,uint256 id,bytes32 rights,uint256 #amount)
    setUser(uint256 tokenId,address >user,uint64 expires)
    """,
    ),
    *powers(
        REVOCATION,
        """
    decreaseAllowance(address spender,uint256 less)
    decreaseApproval(address spender,uint256 less)
    revokeOperator(address operator)
    lockdown((address token,address spender)[] approvals)
    invalidateNonces(address token,address spender,uint48 nonce)
    invalidateUnorderedNonces(uint256 word,uint256 mask)
    cancelAuthorization(address authorizer,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)
    revokeRole(bytes32 role,address account)
    nope(address usr)
    """,
    ),
)
