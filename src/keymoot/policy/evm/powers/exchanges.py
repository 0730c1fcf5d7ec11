"""Exchanges and bridges: Uniswap 2 and 3, 1inch, CCTP, LayerZero, rollups' bridges, Across."""

from keymoot.policy.evm.powers.power import SWAP, TRANSFER, payout, power

_PAIR = "address tokenIn,address tokenOut,uint24 fee,address recipient"
_PRICE = "uint160 sqrtPriceLimitX96"
_EXACT_IN = "uint256 amountIn,uint256 amountOutMinimum"
_EXACT_OUT = "uint256 amountOut,uint256 amountInMaximum"
_V2_PATH = "address[] path,address to"


UNISWAP = (
    *(
        power(
            SWAP,
            f"exactInputSingle(({_PAIR},{deadline}{_EXACT_IN},{_PRICE}) params)",
            "params.recipient",
            "params.amountIn",
            "",
            "params.tokenIn params.tokenOut",
        )
        for deadline in ("", "uint256 deadline,")
    ),
    *(
        power(
            SWAP,
            f"exactOutputSingle(({_PAIR},{deadline}{_EXACT_OUT},{_PRICE}) params)",
            "params.recipient",
            "params.amountInMaximum",
            "",
            "params.tokenIn params.tokenOut",
        )
        for deadline in ("", "uint256 deadline,")
    ),
    *(
        power(
            SWAP,
            f"exactInput((bytes path,address recipient,{deadline}{_EXACT_IN}) params)",
            "params.recipient",
            "params.amountIn",
            "",
            "params.path",
        )
        for deadline in ("", "uint256 deadline,")
    ),
    *(
        power(
            SWAP,
            f"exactOutput((bytes path,address recipient,{deadline}{_EXACT_OUT}) params)",
            "params.recipient",
            "params.amountInMaximum",
            "",
            "params.path",
        )
        for deadline in ("", "uint256 deadline,")
    ),
    *(
        power(
            SWAP,
            f"{name}(uint256 amountIn,uint256 amountOutMin,{_V2_PATH}{deadline})",
            "to",
            "amountIn",
            "",
            "path",
        )
        for name, deadline in (
            ("swapExactTokensForTokens", ",uint256 deadline"),
            ("swapExactTokensForTokens", ""),
            ("swapExactTokensForETH", ",uint256 deadline"),
            ("swapExactTokensForTokensSupportingFeeOnTransferTokens", ",uint256 deadline"),
            ("swapExactTokensForETHSupportingFeeOnTransferTokens", ",uint256 deadline"),
        )
    ),
    *(
        power(
            SWAP,
            f"{name}(uint256 amountOut,uint256 amountInMax,{_V2_PATH}{deadline})",
            "to",
            "amountInMax",
            "",
            "path",
        )
        for name, deadline in (
            ("swapTokensForExactTokens", ",uint256 deadline"),
            ("swapTokensForExactTokens", ""),
            ("swapTokensForExactETH", ",uint256 deadline"),
        )
    ),
    *(
        power(SWAP, f"{name}(uint256 amountOut,{_V2_PATH},uint256 deadline)", "to", "", "", "path")
        for name in (
            "swapExactETHForTokens",
            "swapETHForExactTokens",
            "swapExactETHForTokensSupportingFeeOnTransferTokens",
        )
    ),
    power(
        SWAP,
        "addLiquidity(address tokenA,address tokenB,uint256 amountA,uint256 amountB,uint256 minA,"
        "uint256 minB,address to,uint256 deadline)",
        "to",
        "amountA amountB",
        "",
        "tokenA tokenB",
    ),
    power(
        SWAP,
        "addLiquidityETH(address token,uint256 amount,uint256 min,uint256 minETH,address to,"
        "uint256 deadline)",
        "to",
        "amount",
        "",
        "token",
    ),
    payout(
        "removeLiquidity(address tokenA,address tokenB,uint256 liquidity,uint256 minA,uint256 minB,"
        "address to,uint256 deadline)",
        "to",
    ),
    *(
        payout(
            f"{name}(address token,uint256 liquidity,uint256 min,uint256 minETH,address to,"
            "uint256 deadline)",
            "to",
        )
        for name in ("removeLiquidityETH", "removeLiquidityETHSupportingFeeOnTransferTokens")
    ),
    power(
        SWAP,
        "mint((address token0,address token1,uint24 fee,int24 tickLower,int24 tickUpper,"
        "uint256 amount0,uint256 amount1,uint256 min0,uint256 min1,address recipient,"
        "uint256 deadline) params)",
        "params.recipient",
        "params.amount0 params.amount1",
        "",
        "params.token0 params.token1",
    ),
    payout(
        "collect((uint256 tokenId,address recipient,uint128 max0,uint128 max1) params)",
        "params.recipient",
    ),
    payout("sweepToken(address token,uint256 min,address recipient)", "recipient"),
    payout("unwrapWETH9(uint256 min,address recipient)", "recipient"),
)

_DESCRIPTION = (
    "(address srcToken,address dstToken,address srcReceiver,address dstReceiver,uint256 amount,"
    "uint256 minReturn,uint256 flags) desc"
)

AGGREGATORS = tuple(
    power(
        SWAP,
        f"swap(address executor,{_DESCRIPTION},{data})",
        "executor desc.srcReceiver desc.dstReceiver",
        "desc.amount",
        "",
        "desc.srcToken desc.dstToken",
    )
    for data in ("bytes data", "bytes permit,bytes data")
)

_BURN = "uint256 amount,uint32 domain,bytes32 mintRecipient,address burnToken"

BRIDGES = (
    power(TRANSFER, f"depositForBurn({_BURN})", "mintRecipient", "amount"),
    power(TRANSFER, f"depositForBurnWithCaller({_BURN},bytes32 caller)", "mintRecipient", "amount"),
    power(
        TRANSFER,
        f"depositForBurn({_BURN},bytes32 caller,uint256 maxFee,uint32 finality)",
        "mintRecipient",
        "amount",
    ),
    power(
        TRANSFER,
        f"depositForBurnWithHook({_BURN},bytes32 caller,uint256 maxFee,uint32 finality,bytes hook)",
        "mintRecipient",
        "amount",
    ),
    power(
        TRANSFER,
        "send((uint32 dstEid,bytes32 to,uint256 amountLD,uint256 minAmountLD,bytes options,"
        "bytes composeMsg,bytes oftCmd) param,(uint256 nativeFee,uint256 lzTokenFee) fee,"
        "address refundAddress)",
        "param.to refundAddress",
        "param.amountLD",
    ),
    power(TRANSFER, "bridgeETHTo(address to,uint32 minGas,bytes extra)", "to"),
    power(TRANSFER, "depositETHTo(address to,uint32 minGas,bytes extra)", "to"),
    *(
        power(
            TRANSFER,
            f"{name}(address token,address remoteToken,address to,uint256 amount,uint32 minGas,"
            "bytes extra)",
            "to",
            "amount",
        )
        for name in ("bridgeERC20To", "depositERC20To")
    ),
    power(
        TRANSFER,
        "withdrawTo(address token,address to,uint256 amount,uint32 minGas,bytes extra)",
        "to",
        "amount",
    ),
    power(
        TRANSFER,
        "outboundTransfer(address token,address to,uint256 amount,bytes data)",
        "to",
        "amount",
    ),
    power(
        TRANSFER,
        "outboundTransfer(address token,address to,uint256 amount,uint256 maxGas,uint256 gasPrice,"
        "bytes data)",
        "to",
        "amount",
    ),
    power(
        TRANSFER,
        "depositV3(address depositor,address recipient,address inputToken,address outputToken,"
        "uint256 inputAmount,uint256 outputAmount,uint256 chain,address relayer,uint32 quote,"
        "uint32 fillDeadline,uint32 exclusivity,bytes message)",
        "depositor recipient",
        "inputAmount",
        "",
        "outputToken",
    ),
)

EXCHANGES = (*UNISWAP, *AGGREGATORS, *BRIDGES)
