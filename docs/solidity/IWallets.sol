// SPDX-License-Identifier: Apache-2.0
// Made from the contract's class; do not edit.
pragma solidity ^0.8.4;

/// Keeps wallets and decides what their keys may sign.
/// Stands at 0x6b65796d6f6f7400000000000000000000000002.
interface IWallets {
    event AppGranted(bytes32 indexed wallet, bytes21 indexed app, uint64 expiresAt);
    event CredentialSet(bytes32 indexed wallet, address indexed credential, uint64 expiresAt);
    event PauseSet(bytes32 indexed wallet, bool paused);
    event PolicySet(bytes32 indexed wallet, uint64 version, bytes32 hash);
    event RequestBound(bytes32 indexed wallet, address indexed requester, bytes32 indexed key, bytes boundTo, bytes32 digest, bytes message, bytes32 replyKey, uint64 expiresAt, bool withdrawal);
    event RequestDecided(bytes32 indexed wallet, address indexed requester, bytes32 indexed key, bool bound, string reason);
    event SolanaWalletCreated(bytes32 indexed wallet, address indexed owner, bytes32 indexed account);
    event WalletCreated(bytes32 indexed wallet, address indexed owner, address indexed account);
    event WalletCreatedOn(bytes32 indexed wallet, address indexed owner, string chain, bytes account);
    error Anonymous();
    error AppRemoved(bytes21);
    error BadArguments(string,string);
    error BadCredential();
    error BadDocument(string);
    error BadExpiry();
    error BadRecovery();
    error InsufficientBalance(uint256,uint256);
    error KeyExists(bytes32);
    error KeyUseRefused();
    error NoCode(string);
    error NoSuchApp(bytes21);
    error NoSuchChain(string);
    error NoSuchCredential();
    error NoSuchKey(bytes32);
    error NoSuchWallet(bytes32);
    error NotBound();
    error NotOwner();
    error NotPayable();
    error Reentered();
    error Refused(string,string);
    error RequestForgotten();
    error RequestReused();
    error StalePolicy(uint64);
    error UnknownMethod(bytes4);
    error WalletExists();
    error WithdrawalRefused(string);

    /// Give chain (its CAIP-2 namespace), account and recovery address, wherever it is.
    function account(bytes32 wallet) external view returns (string memory, bytes memory, bytes memory);

    /// Give when an app's grant expires, whether it was revoked, and since when it is one.
    function appGrant(bytes32 wallet, bytes21 app) external view returns (uint64, bool, uint64);

    /// Make a wallet whose owner is the caller; the value becomes its quota.
    function create(bytes32 salt, address recovery) external payable returns (bytes32, address);

    /// Make a wallet whose key is born in Vault: every enclave of the network has it.
    function createInVault(bytes32 salt, address recovery) external payable returns (bytes32, address);

    /// Make a wallet on any chain, kept by the committee; the value becomes its quota.
    function createOn(string calldata chain, bytes32 salt, bytes calldata recovery) external payable returns (bytes32, bytes memory);

    /// Make a wallet with an Ed25519 key, kept by the committee; the value becomes its quota.
    function createSolana(bytes32 salt, bytes32 recovery) external payable returns (bytes32, bytes32);

    /// Give when it expires, whether it was revoked, and when it was granted (0: never).
    function credential(bytes32 wallet, address holder) external view returns (uint64, bool, uint64);

    /// Say who signs for a wallet: 0 for Vault, 1 for the committee.
    function custody(bytes32 wallet) external view returns (uint64);

    /// Add the value to a wallet's quota; anyone may.
    function fund(bytes32 wallet) external payable;

    /// Let `credential` ask until `expires_at`; it can do nothing else.
    function grant(bytes32 wallet, address credential, uint64 expiresAt) external;

    /// Let every live instance of an app ask until `expires_at`, as a credential may.
    function grantApp(bytes32 wallet, bytes21 app, uint64 expiresAt) external;

    /// Give log entries from `start` on, each as JSON; at most 256.
    function log(bytes32 wallet, uint64 start, uint64 count) external view returns (bytes[] memory);

    /// Refuse and release nothing until `resume`; withdrawals still work.
    function pause(bytes32 wallet) external;

    /// Give the policy's canonical JSON; empty before the first.
    function policy(bytes32 wallet) external view returns (bytes memory);

    /// End a pause.
    function resume(bytes32 wallet) external;

    /// Take a credential back; answers that were bound but not fetched stop too.
    function revoke(bytes32 wallet, address credential) external;

    /// Take back what was granted to an app; answers that were bound but not fetched stop.
    function revokeApp(bytes32 wallet, bytes21 app) external;

    /// Replace the policy; `expected_version` is the version that the owner looked at.
    function setPolicy(bytes32 wallet, bytes calldata document, uint64 expectedVersion) external;

    /// Give account and recovery address on Solana; zeros for a wallet elsewhere.
    function solana(bytes32 wallet) external view returns (bytes32, bytes32);

    /// Give what is spent of each window now, as JSON: limit, max, used.
    function usage(bytes32 wallet) external view returns (bytes memory);

    /// Give owner, recovery, account, paused, quota, policy version and hash, birth, log length.
    function wallet(bytes32 wallet) external view returns (address, address, address, bool, uint256, uint64, bytes32, uint64, uint64);

    /// Bind an owner's transaction to the recovery address; no policy is asked.
    function withdraw(bytes32 wallet, bytes calldata transaction, bytes32 requestId, uint64 expiresAt, bytes32 replyKey, uint64 without, uint256 maxFee) external returns (bytes32);
}
