"""Sensible policies of real agents: the lint has nothing to say of them."""

from pathlib import Path
from typing import Any

import pytest

from keymoot.policy.document import parse_policy
from keymoot.policy.lint.warnings import warnings_of
from tests.policy.documents import interfaces
from tests.policy.lint.policies import FRIEND, MINE, OTHER, POOL, TOKEN, allow, codes, policy

SINGLE = (
    "exactInputSingle((address tokenIn,address tokenOut,uint24 fee,address recipient,"
    "uint256 amountIn,uint256 amountOutMinimum,uint160 sqrtPriceLimitX96) params)"
)
V2 = (
    "swapExactTokensForTokens(uint256 amountIn,uint256 amountOutMin,address[] path,address to,"
    "uint256 deadline)"
)
APPROVE = "approve(address spender,uint256 amount)"
BOUNDED = {"spender": {"eq": POOL}, "amount": {"lte": "500000000"}}
AUTHORIZED = (
    "transferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
    "uint256 validBefore,bytes32 nonce,bytes signature)"
)
MARKET = (
    "(address loanToken,address collateralToken,address oracle,address irm,uint256 lltv) market"
)
KNOWN_MARKET = {
    "market.loanToken": {"eq": TOKEN},
    "market.collateralToken": {"eq": OTHER},
    "market.oracle": {"eq": POOL},
    "market.irm": {"eq": POOL},
}
BURN = "depositForBurn(uint256 amount,uint32 domain,bytes32 mintRecipient,address burnToken)"
IN_DAY = {"spend": {"day": "amount"}}
WEI_A_DAY = {"value": {"lte": "1000"}, "spend": {"day": "$value"}}

SENSIBLE = {
    "Uniswap 3": [
        allow(TOKEN, APPROVE, BOUNDED),
        allow(
            POOL,
            SINGLE,
            {
                "params.recipient": MINE,
                "params.tokenIn": {"in": [TOKEN, OTHER]},
                "params.tokenOut": {"in": [TOKEN, OTHER]},
                "params.amountOutMinimum": {"gt": "0"},
            },
            spend={"day": "params.amountIn"},
        ),
    ],
    "Uniswap 2": [
        allow(
            POOL,
            V2,
            {"to": MINE, "path": {"all": {"in": [TOKEN, OTHER]}}},
            spend={"day": "amountIn"},
        )
    ],
    "Aave": [
        allow(TOKEN, APPROVE, BOUNDED),
        allow(
            POOL,
            "supply(address asset,uint256 amount,address onBehalfOf,uint16 referralCode)",
            {"asset": {"eq": TOKEN}, "onBehalfOf": MINE},
            **IN_DAY,
        ),
        allow(POOL, "withdraw(address asset,uint256 amount,address to)", {"to": MINE}),
        allow(POOL, "setUserEMode(uint8 category)"),
        allow(POOL, "setUserUseReserveAsCollateral(address asset,bool use)"),
    ],
    "Aave without a limit": [
        allow(
            POOL,
            "supply(address asset,uint256 amount,address onBehalfOf,uint16 referralCode)",
            {"onBehalfOf": MINE},
        ),
        allow(
            POOL,
            "repay(address asset,uint256 amount,uint256 mode,address onBehalfOf)",
            {"onBehalfOf": MINE},
        ),
    ],
    "Compound": [
        allow(TOKEN, APPROVE, BOUNDED),
        allow(POOL, "supply(address asset,uint256 amount)", {"asset": {"eq": TOKEN}}, **IN_DAY),
        allow(POOL, "withdraw(address asset,uint256 amount)"),
        allow(POOL, "claim(address comet,address src,bool accrue)", {"src": MINE, "comet": MINE}),
    ],
    "Compound 2": [allow(POOL, ["mint(uint256 amount)", "redeem(uint256 amount)"])],
    "Morpho": [
        allow(
            POOL,
            f"supply({MARKET},uint256 assets,uint256 shares,address onBehalf,bytes data)",
            KNOWN_MARKET | {"onBehalf": MINE},
        ),
        allow(
            POOL,
            f"withdraw({MARKET},uint256 assets,uint256 shares,address onBehalf,address receiver)",
            {"onBehalf": MINE, "receiver": MINE},
        ),
    ],
    "ERC-4626": [
        allow(
            POOL,
            [
                "deposit(uint256 assets,address receiver)",
                "mint(uint256 shares,address receiver)",
            ],
            {"receiver": MINE},
        ),
        allow(
            POOL,
            [
                "withdraw(uint256 assets,address receiver,address owner)",
                "redeem(uint256 shares,address receiver,address owner)",
            ],
            {"receiver": MINE, "owner": MINE},
        ),
    ],
    "WETH": [allow(POOL, "deposit()", **WEI_A_DAY), allow(POOL, "withdraw(uint256 wad)")],
    "Lido": [
        allow(POOL, "submit(address _referral)", **WEI_A_DAY),
        allow(POOL, "wrap(uint256 _stETHAmount)"),
        allow(POOL, "requestWithdrawals(uint256[] amounts,address owner)", {"owner": MINE}),
    ],
    "x402": [allow(TOKEN, AUTHORIZED, {"to": {"eq": FRIEND}}, spend={"day": "value"})],
    "a facilitator": [allow(TOKEN, AUTHORIZED, {"to": MINE})],
    "payroll": [
        allow(
            TOKEN, "transfer(address to,uint256 amount)", {"to": {"in": [FRIEND, OTHER]}}, **IN_DAY
        )
    ],
    "orders": [
        allow(
            POOL,
            "settle((address who,address token,uint256 x)[] orders)",
            {"orders[].who": {"all": {"in": [FRIEND, OTHER]}}},
        )
    ],
    "tips": [allow(FRIEND, **WEI_A_DAY)],
    "revoking": [
        allow(TOKEN, APPROVE, {"spender": {"eq": POOL}, "amount": {"eq": "0"}}),
        allow(TOKEN, APPROVE, {"spender": {"eq": POOL}}, **IN_DAY),
        allow(TOKEN, "decreaseAllowance(address spender,uint256 less)"),
        allow(OTHER, "lockdown((address token,address spender)[] approvals)"),
        allow(OTHER, "revokeRole(bytes32 role,address account)"),
    ],
    "a bridge": [
        allow(POOL, BURN, {"mintRecipient": {"eq": "0x" + "00" * 12 + "33" * 20}}, **IN_DAY)
    ],
    "an operator": [
        allow(
            TOKEN, "setApprovalForAll(address operator,bool approved)", {"operator": {"eq": POOL}}
        )
    ],
    "a keeper": [
        allow(POOL, ["harvest()", "rebalance(uint256 index,int24 tick)", "poke(bytes32 id)"]),
        allow(POOL, "updatePriceFeeds(bytes[] updateData)"),
        allow(TOKEN, "transferOut(address to,uint96 n)", {"to": MINE}),
        allow(POOL, "castVote(uint256 proposalId,uint8 support)"),
        allow(POOL, "claim(address account)", {"account": MINE}),
    ],
    "a Safe": [
        allow(
            POOL,
            "execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,"
            "uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,"
            "bytes signatures)",
            {
                "to": {"eq": TOKEN},
                "data": {"in": ["0x4e71d92d"]},
                "operation": {"eq": "0"},
                "refundReceiver": MINE,
            },
        )
    ],
    "two tiers": [
        allow(
            TOKEN,
            "transfer(address to,uint256 amount)",
            {"to": {"eq": FRIEND}, "amount": {"lte": "5"}},
            spend={"small": "amount"},
        ),
        allow(TOKEN, "transfer(address to,uint256 amount)", {"to": {"eq": FRIEND}}, **IN_DAY),
    ],
    "a login": [
        {
            "action": "ALLOW",
            "method": "personal_sign",
            "prefix": "app.example wants you to sign in with your Ethereum account:",
        }
    ],
}
SMALL = {"id": "small", "max": "50", "window": "24h", "kind": "rolling"}


@pytest.mark.parametrize("name", SENSIBLE)
def test_a_sensible_policy_has_no_warning(name: str) -> None:
    document: dict[str, Any] = policy(*SENSIBLE[name])
    if name == "two tiers":
        document["limits"].append(SMALL)
    assert codes(document) == []


def test_the_documents_that_are_shown_have_no_warning() -> None:
    from demo.market import Market, Vault
    from demo.rules import vault_policy
    from keymoot.base.strict_json import canonical

    root = Path(__file__).resolve().parents[3]
    documents = [path.read_bytes() for path in sorted((root / "examples").glob("*.json"))]
    documents = [one for one in documents if b'"rules"' in one]
    assert len(documents) >= 2
    vaults = tuple(Vault(name, address) for name, address in (("A", POOL), ("B", OTHER)))
    market = Market(None, None, TOKEN, vaults)  # type: ignore[arg-type]
    documents += [canonical(vault_policy(market, 10**12)), canonical(interfaces())]
    for one in documents:
        assert warnings_of(parse_policy(one)) == []
