// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Usdc} from "./Usdc.sol";

/// An ERC-4626 vault whose yield a script moves: each `accrue` pays `rate` basis points of
/// what the vault holds, out of the owner's pocket, to everybody who has shares.
contract YieldVault is ERC4626, Ownable {
    uint256 public rate;

    event RateSet(uint256 rate);
    event Accrued(uint256 assets);

    constructor(Usdc asset_, string memory name_, string memory symbol_)
        ERC20(name_, symbol_)
        ERC4626(IERC20(address(asset_)))
        Ownable(msg.sender)
    {}

    /// Basis points of each round's yield: 100 is one percent.
    function setRate(uint256 rate_) external onlyOwner {
        rate = rate_;
        emit RateSet(rate_);
    }

    /// One round passes. The owner pays it, and has approved the vault.
    function accrue() external onlyOwner returns (uint256 assets) {
        assets = (totalAssets() * rate) / 10_000;
        if (assets > 0) IERC20(asset()).transferFrom(owner(), address(this), assets);
        emit Accrued(assets);
    }
}
