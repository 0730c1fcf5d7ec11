"""Vaults, wrapped tokens and lending: ERC-4626 and 7540, Aave, Compound, Morpho."""

from keymoot.policy.chains.evm.powers.power import (
    DEPOSIT,
    TRANSFER,
    TRANSFER_FROM,
    WITHDRAWAL,
    powers,
)

MARKETS = (
    *powers(
        DEPOSIT,
        """
    deposit(uint256 #assets,address >receiver)
    mint(uint256 #shares,address >receiver)
    requestDeposit(uint256 #assets,address >controller,address <owner)
    deposit(uint256 #assets,address >receiver,address <controller)
    mint(uint256 #shares,address >receiver,address <controller)
    depositFor(address >account,uint256 #amount)
    depositTo(address >account,uint256 #amount)
    depositTo(address >account)
    mint(address >account,uint256 #amount)
    supply(address asset,uint256 #amount,address >onBehalfOf,uint16 referral)
    deposit(address asset,uint256 #amount,address >onBehalfOf,uint16 referral)
    supplyWithPermit(address asset,uint256 #amount,address >onBehalfOf,uint16 referral,
        uint256 deadline,uint8 v,bytes32 r,bytes32 s)
    repay(address asset,uint256 #amount,uint256 mode,address >onBehalfOf)
    repayWithPermit(address asset,uint256 #amount,uint256 mode,address >onBehalfOf,uint256 deadline,
        uint8 v,bytes32 r,bytes32 s)
    depositETH(address pool,address >onBehalfOf,uint16 referral)
    supplyTo(address >dst,address asset,uint256 #amount)
    supplyFrom(address <from,address >dst,address asset,uint256 #amount)
    repayBorrowBehalf(address >borrower,uint256 #amount)
    supply((address @loanToken,address @collateralToken,address @oracle,address @irm,
        uint256 lltv) market,uint256 #assets,uint256 shares,address >onBehalf,bytes data)
    supplyCollateral((address @loanToken,address @collateralToken,address @oracle,address @irm,
        uint256 lltv) market,uint256 #assets,address >onBehalf,bytes data)
    repay((address loanToken,address collateralToken,address oracle,address irm,
        uint256 lltv) market,uint256 #assets,uint256 shares,address >onBehalf,bytes data)
    """,
    ),
    *powers(
        WITHDRAWAL,
        """
    withdraw(uint256 #assets,address >receiver,address <owner)
    redeem(uint256 #shares,address >receiver,address <owner)
    requestRedeem(uint256 #shares,address >controller,address <owner)
    withdrawTo(address >account,uint256 #amount)
    withdraw(uint256 #amount,address >to)
    requestWithdrawals(uint256[] #amounts,address >owner)
    withdraw(address asset,uint256 #amount,address >to)
    borrow(address asset,uint256 #amount,uint256 mode,uint16 referral,address >onBehalfOf)
    flashLoan(address >receiver,address[] assets,uint256[] #amounts,uint256[] modes,
        address >onBehalfOf,bytes params,uint16 referral)
    flashLoanSimple(address >receiver,address asset,uint256 #amount,bytes params,uint16 referral)
    withdrawETH(address pool,uint256 #amount,address >to)
    claimRewards(address[] assets,uint256 #amount,address >to,address reward)
    claimAllRewards(address[] assets,address >to)
    withdrawTo(address >to,address asset,uint256 #amount)
    withdrawFrom(address <src,address >to,address asset,uint256 #amount)
    withdraw((address loanToken,address collateralToken,address oracle,address irm,
        uint256 lltv) market,uint256 #assets,uint256 #shares,address <onBehalf,address >receiver)
    borrow((address loanToken,address collateralToken,address oracle,address irm,
        uint256 lltv) market,uint256 #assets,uint256 #shares,address <onBehalf,address >receiver)
    withdrawCollateral((address loanToken,address collateralToken,address oracle,address irm,
        uint256 lltv) market,uint256 #assets,address <onBehalf,address >receiver)
    """,
    ),
    *powers(
        TRANSFER,
        """
    transferAsset(address >dst,address asset,uint256 #amount)
    """,
    ),
    *powers(
        TRANSFER_FROM,
        """
    transferAssetFrom(address <src,address >dst,address asset,uint256 #amount)
    """,
    ),
)
