// SPDX-License-Identifier: Apache-2.0
// Made from the contract's class; do not edit.
pragma solidity ^0.8.4;

/// Keeps the committee.
/// Stands at 0x6b65796d6f6f7400000000000000000000000003.
interface INodes {
    error Anonymous();
    error BadArguments(string,string);
    error InsufficientBalance(uint256,uint256);
    error KeyUseRefused();
    error NoCode(string);
    error NotPayable();
    error Reentered();
    error Refused(string,string);
    error UnknownMethod(bytes4);

    /// Give the generation; zeros before the first recovery.
    function generation() external view returns (bytes32);

    /// Give a page of the committee; empty where there is none.
    function page(bytes calldata name) external view returns (bytes memory);

    /// Count the presignatures in stock.
    function stock() external view returns (uint64);
}
