"""Tokens: transfers, approvals, operators and permits of every standard.

ERC-20 and its variants, 223, 677, 721, 777, 1155, 1363, 2612, 3009, 4494, 6909, 7984, LSP7;
DAI, Permit2, and the delegations of lending markets and registries.
"""

from keymoot.policy.evm.powers.power import (
    APPROVAL,
    APPROVAL_FOR_ALL,
    DELEGATION,
    PERMIT,
    REVOCATION,
    TRANSFER,
    TRANSFER_FROM,
    power,
)

_SIGNED = "uint256 deadline,uint8 v,bytes32 r,bytes32 s"
_WINDOW = "uint256 validAfter,uint256 validBefore,bytes32 nonce"
_DETAILS = "(address token,uint160 amount,uint48 expiration,uint48 nonce)"
_PERMITTED = "(address token,uint256 amount)"
_ORDER = "uint256 nonce,uint256 deadline"
_PAID = "(address to,uint256 requestedAmount)"

TRANSFERS = (
    power(TRANSFER, "transfer(address to,uint256 amount)", "to", "amount"),
    power(TRANSFER, "transfer(address to,uint256 amount,bytes data)", "to", "amount"),
    power(TRANSFER, "transfer(address receiver,uint256 id,uint256 amount)", "receiver", "amount"),
    power(
        TRANSFER,
        "transfer(address from,address to,uint256 amount,bool force,bytes data)",
        "to",
        "amount",
        "from",
    ),
    power(TRANSFER, "transferAndCall(address to,uint256 amount)", "to", "amount"),
    power(TRANSFER, "transferAndCall(address to,uint256 amount,bytes data)", "to", "amount"),
    power(TRANSFER, "transferWithMemo(address to,uint256 amount,bytes32 memo)", "to", "amount"),
    power(TRANSFER, "safeTransfer(address to,uint256 amount)", "to", "amount"),
    power(TRANSFER, "send(address recipient,uint256 amount,bytes data)", "recipient", "amount"),
    power(TRANSFER, "push(address dst,uint256 amount)", "dst", "amount"),
    power(TRANSFER, "transferBatch(address[] to,uint256[] amounts)", "to", "amounts"),
    power(TRANSFER, "batchTransfer(address[] to,uint256[] amounts)", "to", "amounts"),
    power(TRANSFER, "multiTransfer(address[] to,uint256[] amounts)", "to", "amounts"),
    power(TRANSFER, "disperseEther(address[] recipients,uint256[] values)", "recipients", "values"),
    power(
        TRANSFER,
        "disperseToken(address token,address[] recipients,uint256[] values)",
        "recipients",
        "values",
    ),
    power(
        TRANSFER,
        "disperseTokenSimple(address token,address[] recipients,uint256[] values)",
        "recipients",
        "values",
    ),
    power(
        TRANSFER_FROM,
        "transferFrom(address from,address to,uint256 amount)",
        "to",
        "amount",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "transferFrom(address from,address to,uint256 amount,bytes data)",
        "to",
        "amount",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "transferFrom(address sender,address receiver,uint256 id,uint256 amount)",
        "receiver",
        "amount",
        "sender",
    ),
    power(
        TRANSFER_FROM,
        "transferFromAndCall(address from,address to,uint256 amount)",
        "to",
        "amount",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "transferFromAndCall(address from,address to,uint256 amount,bytes data)",
        "to",
        "amount",
        "from",
    ),
    power(TRANSFER_FROM, "safeTransferFrom(address from,address to,uint256 id)", "to", "", "from"),
    power(
        TRANSFER_FROM,
        "safeTransferFrom(address from,address to,uint256 id,bytes data)",
        "to",
        "",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "safeTransferFrom(address from,address to,uint256 id,uint256 amount,bytes data)",
        "to",
        "amount",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "safeBatchTransferFrom(address from,address to,uint256[] ids,uint256[] amounts,bytes data)",
        "to",
        "amounts",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "operatorSend(address sender,address recipient,uint256 amount,bytes data,bytes more)",
        "recipient",
        "amount",
        "sender",
    ),
    power(TRANSFER_FROM, "move(address src,address dst,uint256 amount)", "dst", "amount", "src"),
    power(
        TRANSFER,
        f"transferWithAuthorization(address from,address to,uint256 value,{_WINDOW},"
        "uint8 v,bytes32 r,bytes32 s)",
        "to",
        "value",
    ),
    power(
        TRANSFER,
        f"transferWithAuthorization(address from,address to,uint256 value,{_WINDOW},bytes signature)",
        "to",
        "value",
    ),
    power(
        TRANSFER,
        f"receiveWithAuthorization(address from,address to,uint256 value,{_WINDOW},"
        "uint8 v,bytes32 r,bytes32 s)",
        "to",
        "value",
    ),
    power(
        TRANSFER,
        f"receiveWithAuthorization(address from,address to,uint256 value,{_WINDOW},bytes signature)",
        "to",
        "value",
    ),
)

APPROVALS = (
    power(APPROVAL, "approve(address spender,uint256 amount)", "spender", "amount"),
    power(APPROVAL, "approve(address spender,uint256 id,uint256 amount)", "spender", "amount"),
    power(APPROVAL, "safeApprove(address spender,uint256 amount)", "spender", "amount"),
    power(APPROVAL, "increaseAllowance(address spender,uint256 added)", "spender", "added"),
    power(APPROVAL, "increaseApproval(address spender,uint256 added)", "spender", "added"),
    power(APPROVAL, "approveAndCall(address spender,uint256 amount)", "spender", "amount"),
    power(
        APPROVAL, "approveAndCall(address spender,uint256 amount,bytes data)", "spender", "amount"
    ),
    power(
        APPROVAL,
        "authorizeOperator(address operator,uint256 amount,bytes data)",
        "operator",
        "amount",
    ),
    power(
        APPROVAL,
        "increaseAllowance(address operator,uint256 added,bytes data)",
        "operator",
        "added",
    ),
    power(APPROVAL, "approveDelegation(address delegatee,uint256 amount)", "delegatee", "amount"),
    power(
        APPROVAL,
        f"delegationWithSig(address delegator,address delegatee,uint256 value,{_SIGNED})",
        "delegatee",
        "value",
        "delegator",
    ),
    power(APPROVAL, "setPreSignature(bytes order,bool signed)", "order"),
    power(APPROVAL_FOR_ALL, "setApprovalForAll(address operator,bool approved)", "operator"),
    power(APPROVAL_FOR_ALL, "authorizeOperator(address operator)", "operator"),
    power(APPROVAL_FOR_ALL, "setOperator(address operator,bool approved)", "operator"),
    power(APPROVAL_FOR_ALL, "setOperator(address operator,uint48 until)", "operator"),
    power(APPROVAL_FOR_ALL, "allow(address manager,bool allowed)", "manager"),
    power(
        APPROVAL_FOR_ALL,
        "allowBySig(address owner,address manager,bool allowed,uint256 nonce,uint256 expiry,"
        "uint8 v,bytes32 r,bytes32 s)",
        "manager",
        "",
        "owner",
    ),
    power(APPROVAL_FOR_ALL, "setAuthorization(address authorized,bool approved)", "authorized"),
    power(
        APPROVAL_FOR_ALL,
        "setAuthorizationWithSig((address authorizer,address authorized,bool approved,"
        "uint256 nonce,uint256 deadline) authorization,(uint8 v,bytes32 r,bytes32 s) signature)",
        "authorization.authorized",
        "",
        "authorization.authorizer",
    ),
    power(APPROVAL_FOR_ALL, "approveManager(address manager,bool allowed)", "manager"),
    power(APPROVAL_FOR_ALL, "approvePlugin(address plugin)", "plugin"),
    power(APPROVAL_FOR_ALL, "hope(address usr)", "usr"),
    power(
        APPROVAL_FOR_ALL,
        "setRelayerApproval(address sender,address relayer,bool approved)",
        "relayer",
        "",
        "sender",
    ),
    power(
        APPROVAL_FOR_ALL,
        "permitForAll(address owner,address operator,bool approved,uint256 deadline,"
        "uint256 nonce,bytes signature)",
        "operator",
        "",
        "owner",
    ),
)

PERMITS = (
    power(
        PERMIT,
        f"permit(address owner,address spender,uint256 value,{_SIGNED})",
        "spender",
        "value",
        "owner",
    ),
    power(
        PERMIT,
        "permit(address owner,address spender,uint256 value,uint256 deadline,bytes signature)",
        "spender",
        "value",
        "owner",
    ),
    power(
        PERMIT,
        "permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed,"
        "uint8 v,bytes32 r,bytes32 s)",
        "spender",
        "allowed",
        "holder",
    ),
    power(PERMIT, f"permit(address spender,uint256 tokenId,{_SIGNED})", "spender"),
    power(
        PERMIT,
        "permit(address spender,uint256 tokenId,uint256 deadline,bytes signature)",
        "spender",
    ),
    power(
        PERMIT,
        "permit(address spender,uint256 tokenId,uint256 deadline,uint256 nonce,bytes signature)",
        "spender",
    ),
    power(
        PERMIT,
        "approve(address token,address spender,uint160 amount,uint48 expiration)",
        "spender",
        "amount",
    ),
    power(
        PERMIT,
        f"permit(address owner,({_DETAILS} details,address spender,uint256 sigDeadline) single,"
        "bytes signature)",
        "single.spender",
        "single.details.amount",
        "owner",
    ),
    power(
        PERMIT,
        f"permit(address owner,({_DETAILS}[] details,address spender,uint256 sigDeadline) batch,"
        "bytes signature)",
        "batch.spender",
        "batch.details[].amount",
        "owner",
    ),
    power(
        TRANSFER_FROM,
        "transferFrom(address from,address to,uint160 amount,address token)",
        "to",
        "amount",
        "from",
    ),
    power(
        TRANSFER_FROM,
        "transferFrom((address from,address to,uint160 amount,address token)[] transfers)",
        "transfers[].to",
        "transfers[].amount",
        "transfers[].from",
    ),
    power(
        TRANSFER_FROM,
        f"permitTransferFrom(({_PERMITTED} permitted,{_ORDER}) permit,{_PAID} details,"
        "address owner,bytes signature)",
        "details.to",
        "details.requestedAmount",
    ),
    power(
        TRANSFER_FROM,
        f"permitTransferFrom(({_PERMITTED}[] permitted,{_ORDER}) permit,{_PAID}[] details,"
        "address owner,bytes signature)",
        "details[].to",
        "details[].requestedAmount",
    ),
    power(
        TRANSFER_FROM,
        f"permitWitnessTransferFrom(({_PERMITTED} permitted,{_ORDER}) permit,{_PAID} details,"
        "address owner,bytes32 witness,string kind,bytes signature)",
        "details.to",
        "details.requestedAmount",
    ),
    power(
        TRANSFER_FROM,
        f"permitWitnessTransferFrom(({_PERMITTED}[] permitted,{_ORDER}) permit,{_PAID}[] details,"
        "address owner,bytes32 witness,string kind,bytes signature)",
        "details[].to",
        "details[].requestedAmount",
    ),
)

DELEGATIONS = (
    power(DELEGATION, "delegate(address delegatee)", "delegatee"),
    power(
        DELEGATION,
        "delegateBySig(address delegatee,uint256 nonce,uint256 expiry,uint8 v,bytes32 r,bytes32 s)",
        "delegatee",
    ),
    power(DELEGATION, "setDelegate(address delegate)", "delegate"),
    power(DELEGATION, "setDelegate(bytes32 id,address delegate)", "delegate"),
    power(DELEGATION, "setApprovedDelegate(address delegate)", "delegate"),
    power(DELEGATION, "setApprovedDelegate(address delegate,bool approved)", "delegate"),
    power(DELEGATION, "delegateAll(address to,bytes32 rights,bool enable)", "to"),
    power(DELEGATION, "delegateForAll(address delegate,bool enable)", "delegate"),
    power(
        DELEGATION,
        "delegateContract(address to,address contract_,bytes32 rights,bool enable)",
        "to",
    ),
    power(
        DELEGATION,
        "delegateERC20(address to,address contract_,bytes32 rights,uint256 amount)",
        "to",
        "amount",
    ),
    power(
        DELEGATION,
        "delegateERC721(address to,address contract_,uint256 id,bytes32 rights,bool enable)",
        "to",
    ),
    power(
        DELEGATION,
        "delegateERC1155(address to,address contract_,uint256 id,bytes32 rights,uint256 amount)",
        "to",
        "amount",
    ),
    power(DELEGATION, "setUser(uint256 tokenId,address user,uint64 expires)", "user"),
)

REVOCATIONS = (
    power(REVOCATION, "decreaseAllowance(address spender,uint256 less)"),
    power(REVOCATION, "decreaseApproval(address spender,uint256 less)"),
    power(REVOCATION, "revokeOperator(address operator)"),
    power(REVOCATION, "lockdown((address token,address spender)[] approvals)"),
    power(REVOCATION, "invalidateNonces(address token,address spender,uint48 nonce)"),
    power(REVOCATION, "invalidateUnorderedNonces(uint256 word,uint256 mask)"),
    power(
        REVOCATION,
        "cancelAuthorization(address authorizer,bytes32 nonce,uint8 v,bytes32 r,bytes32 s)",
    ),
    power(REVOCATION, "revokeRole(bytes32 role,address account)"),
    power(REVOCATION, "nope(address usr)"),
)

TOKENS = (*TRANSFERS, *APPROVALS, *PERMITS, *DELEGATIONS, *REVOCATIONS)
