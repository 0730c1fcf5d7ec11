"""Vaults, wrapped tokens and lending: ERC-4626 and 7540, Aave, Compound, Morpho."""

from keymoot.policy.evm.powers.power import (
    DEPOSIT,
    TRANSFER,
    TRANSFER_FROM,
    payout,
    power,
)

_MARKET = (
    "(address loanToken,address collateralToken,address oracle,address irm,uint256 lltv) market"
)
_ORACLES = "market.loanToken market.collateralToken market.oracle market.irm"
_SIGNED = "uint256 deadline,uint8 v,bytes32 r,bytes32 s"

VAULTS = (
    power(DEPOSIT, "deposit(uint256 assets,address receiver)", "receiver", "assets"),
    power(DEPOSIT, "mint(uint256 shares,address receiver)", "receiver", "shares"),
    payout(
        "withdraw(uint256 assets,address receiver,address owner)",
        "receiver",
        "owner",
    ),
    payout("redeem(uint256 shares,address receiver,address owner)", "receiver", "owner"),
    power(
        DEPOSIT,
        "requestDeposit(uint256 assets,address controller,address owner)",
        "controller",
        "assets",
        "owner",
    ),
    payout(
        "requestRedeem(uint256 shares,address controller,address owner)",
        "controller",
        "owner",
    ),
    power(
        DEPOSIT,
        "deposit(uint256 assets,address receiver,address controller)",
        "receiver",
        "assets",
        "controller",
    ),
    power(
        DEPOSIT,
        "mint(uint256 shares,address receiver,address controller)",
        "receiver",
        "shares",
        "controller",
    ),
    power(DEPOSIT, "depositFor(address account,uint256 amount)", "account", "amount"),
    power(DEPOSIT, "depositTo(address account,uint256 amount)", "account", "amount"),
    power(DEPOSIT, "depositTo(address account)", "account"),
    power(DEPOSIT, "mint(address account,uint256 amount)", "account", "amount"),
    payout("withdrawTo(address account,uint256 amount)", "account"),
    payout("withdraw(uint256 amount,address to)", "to"),
    payout("requestWithdrawals(uint256[] amounts,address owner)", "owner"),
)

LENDING = (
    power(
        DEPOSIT,
        "supply(address asset,uint256 amount,address onBehalfOf,uint16 referral)",
        "onBehalfOf",
        "amount",
    ),
    power(
        DEPOSIT,
        "deposit(address asset,uint256 amount,address onBehalfOf,uint16 referral)",
        "onBehalfOf",
        "amount",
    ),
    power(
        DEPOSIT,
        "supplyWithPermit(address asset,uint256 amount,address onBehalfOf,uint16 referral,"
        f"{_SIGNED})",
        "onBehalfOf",
        "amount",
    ),
    payout("withdraw(address asset,uint256 amount,address to)", "to"),
    payout(
        "borrow(address asset,uint256 amount,uint256 mode,uint16 referral,address onBehalfOf)",
        "onBehalfOf",
    ),
    power(
        DEPOSIT,
        "repay(address asset,uint256 amount,uint256 mode,address onBehalfOf)",
        "onBehalfOf",
        "amount",
    ),
    power(
        DEPOSIT,
        f"repayWithPermit(address asset,uint256 amount,uint256 mode,address onBehalfOf,{_SIGNED})",
        "onBehalfOf",
        "amount",
    ),
    payout(
        "flashLoan(address receiver,address[] assets,uint256[] amounts,uint256[] modes,"
        "address onBehalfOf,bytes params,uint16 referral)",
        "receiver onBehalfOf",
    ),
    payout(
        "flashLoanSimple(address receiver,address asset,uint256 amount,bytes params,uint16 referral)",
        "receiver",
    ),
    power(DEPOSIT, "depositETH(address pool,address onBehalfOf,uint16 referral)", "onBehalfOf"),
    payout("withdrawETH(address pool,uint256 amount,address to)", "to"),
    payout(
        "claimRewards(address[] assets,uint256 amount,address to,address reward)",
        "to",
    ),
    payout("claimAllRewards(address[] assets,address to)", "to"),
    # Compound
    power(DEPOSIT, "supplyTo(address dst,address asset,uint256 amount)", "dst", "amount"),
    power(
        DEPOSIT,
        "supplyFrom(address from,address dst,address asset,uint256 amount)",
        "dst",
        "amount",
        "from",
    ),
    payout("withdrawTo(address to,address asset,uint256 amount)", "to"),
    payout(
        "withdrawFrom(address src,address to,address asset,uint256 amount)",
        "to",
        "src",
    ),
    power(TRANSFER, "transferAsset(address dst,address asset,uint256 amount)", "dst", "amount"),
    power(
        TRANSFER_FROM,
        "transferAssetFrom(address src,address dst,address asset,uint256 amount)",
        "dst",
        "amount",
        "src",
    ),
    power(DEPOSIT, "repayBorrowBehalf(address borrower,uint256 amount)", "borrower", "amount"),
    # Morpho
    power(
        DEPOSIT,
        f"supply({_MARKET},uint256 assets,uint256 shares,address onBehalf,bytes data)",
        "onBehalf",
        "assets",
        "",
        _ORACLES,
    ),
    power(
        DEPOSIT,
        f"supplyCollateral({_MARKET},uint256 assets,address onBehalf,bytes data)",
        "onBehalf",
        "assets",
        "",
        _ORACLES,
    ),
    power(
        DEPOSIT,
        f"repay({_MARKET},uint256 assets,uint256 shares,address onBehalf,bytes data)",
        "onBehalf",
        "assets",
    ),
    payout(
        f"withdraw({_MARKET},uint256 assets,uint256 shares,address onBehalf,address receiver)",
        "receiver",
        "onBehalf",
    ),
    payout(
        f"borrow({_MARKET},uint256 assets,uint256 shares,address onBehalf,address receiver)",
        "receiver",
        "onBehalf",
    ),
    payout(
        f"withdrawCollateral({_MARKET},uint256 assets,address onBehalf,address receiver)",
        "receiver",
        "onBehalf",
    ),
)

MARKETS = (*VAULTS, *LENDING)
