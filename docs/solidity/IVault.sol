// SPDX-License-Identifier: Apache-2.0
// Made from the contract's class; do not edit.
pragma solidity ^0.8.4;

/// Keeps keys in confidential cells, each for the one who had it made.
/// Stands at 0x6b65796d6f6f7400000000000000000000000001.
interface IVault {
    event KeyBorn(address indexed owner, bytes32 name, address indexed account);
    error Anonymous();
    error BadArguments(string,string);
    error InsufficientBalance(uint256,uint256);
    error KeyExists(bytes32);
    error KeyUseRefused();
    error NoCode(string);
    error NoSuchKey(bytes32);
    error NotPayable();
    error Reentered();
    error Refused(string,string);
    error UnknownMethod(bytes4);

    /// Give the address of a key; the zero address where there is none.
    function accountOf(address owner, bytes32 name) external view returns (address);

    /// Make a key for the caller under `name`; give its address.
    function birth(bytes32 name) external returns (address);
}
