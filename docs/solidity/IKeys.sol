// SPDX-License-Identifier: Apache-2.0
// Made from the contract's class; do not edit.
pragma solidity ^0.8.4;

/// Takes questions for keys.
/// Stands at 0x6b65796d6f6f7400000000000000000000000004.
interface IKeys {
    event AppKeyAsked(address indexed asker, bytes21 indexed app, bytes32 indexed question, uint8 kind, bytes keyId, bytes first, bytes second, uint64 expiresAt);
    event KeyAsked(address indexed asker, bytes32 indexed question, bytes name, bytes first, bytes second, uint64 expiresAt);
    error Anonymous();
    error AppRemoved(bytes21);
    error BadArguments(string,string);
    error BadQuestion(string);
    error InstanceEvicted();
    error InsufficientBalance(uint256,uint256);
    error KeyUseRefused();
    error MeasurementEvicted();
    error NoCode(string);
    error NoSuchApp(bytes21);
    error NotPayable();
    error NotRegistered(address);
    error PolicyTightened();
    error RawKeysRefused();
    error Reentered();
    error Refused(string,string);
    error RegistrationExpired(uint64);
    error UnknownMethod(bytes4);

    /// Ask for the caller's key of that name; give the question's own name.
    function derive(bytes calldata name, bytes calldata first, bytes calldata second, uint64 expiresAt) external returns (bytes32);

    /// Ask for a key of the app of which the caller is a live instance; else as `derive`.
    function deriveForApp(uint8 kind, bytes calldata keyId, bytes calldata first, bytes calldata second, uint64 expiresAt) external returns (bytes32);

    /// Tell of a question: whether it is known, who asked, at which height, until when.
    function question(bytes32 question) external view returns (bool, address, uint64, uint64);
}
