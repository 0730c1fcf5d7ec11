"""Exchanges and bridges: Uniswap 2 and 3, 1inch, CCTP, LayerZero, rollups' bridges, Across."""

from keymoot.policy.chains.evm.powers.power import SWAP, TRANSFER, WITHDRAWAL, powers

EXCHANGES = (
    *powers(
        SWAP,
        """
    exactInputSingle((address @tokenIn,address @tokenOut,uint24 fee,address >recipient,
        uint256 #amountIn,uint256 amountOutMinimum,uint160 sqrtPriceLimitX96) params)
    exactInputSingle((address @tokenIn,address @tokenOut,uint24 fee,address >recipient,
        uint256 deadline,uint256 #amountIn,uint256 amountOutMinimum,
        uint160 sqrtPriceLimitX96) params)
    exactOutputSingle((address @tokenIn,address @tokenOut,uint24 fee,address >recipient,
        uint256 amountOut,uint256 #amountInMaximum,uint160 sqrtPriceLimitX96) params)
    exactOutputSingle((address @tokenIn,address @tokenOut,uint24 fee,address >recipient,
        uint256 deadline,uint256 amountOut,uint256 #amountInMaximum,
        uint160 sqrtPriceLimitX96) params)
    exactInput((bytes @path,address >recipient,uint256 #amountIn,uint256 amountOutMinimum) params)
    exactInput((bytes @path,address >recipient,uint256 deadline,uint256 #amountIn,
        uint256 amountOutMinimum) params)
    exactOutput((bytes @path,address >recipient,uint256 amountOut,uint256 #amountInMaximum) params)
    exactOutput((bytes @path,address >recipient,uint256 deadline,uint256 amountOut,
        uint256 #amountInMaximum) params)
    swapExactTokensForTokens(uint256 #amountIn,uint256 amountOutMin,address[] @path,address >to,
        uint256 deadline)
    swapExactTokensForTokens(uint256 #amountIn,uint256 amountOutMin,address[] @path,address >to)
    swapExactTokensForETH(uint256 #amountIn,uint256 amountOutMin,address[] @path,address >to,
        uint256 deadline)
    swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256 #amountIn,uint256 amountOutMin,
        address[] @path,address >to,uint256 deadline)
    swapExactTokensForETHSupportingFeeOnTransferTokens(uint256 #amountIn,uint256 amountOutMin,
        address[] @path,address >to,uint256 deadline)
    swapTokensForExactTokens(uint256 amountOut,uint256 #amountInMax,address[] @path,address >to,
        uint256 deadline)
    swapTokensForExactTokens(uint256 amountOut,uint256 #amountInMax,address[] @path,address >to)
    swapTokensForExactETH(uint256 amountOut,uint256 #amountInMax,address[] @path,address >to,
        uint256 deadline)
    swapExactETHForTokens(uint256 amountOut,address[] @path,address >to,uint256 deadline)
    swapETHForExactTokens(uint256 amountOut,address[] @path,address >to,uint256 deadline)
    swapExactETHForTokensSupportingFeeOnTransferTokens(uint256 amountOut,address[] @path,
        address >to,uint256 deadline)
    addLiquidity(address @tokenA,address @tokenB,uint256 #amountA,uint256 #amountB,uint256 minA,
        uint256 minB,address >to,uint256 deadline)
    addLiquidityETH(address @token,uint256 #amount,uint256 min,uint256 minETH,address >to,
        uint256 deadline)
    mint((address @token0,address @token1,uint24 fee,int24 tickLower,int24 tickUpper,
        uint256 #amount0,uint256 #amount1,uint256 min0,uint256 min1,address >recipient,
        uint256 deadline) params)
    swap(address >executor,(address @srcToken,address @dstToken,address >srcReceiver,
        address >dstReceiver,uint256 #amount,uint256 minReturn,uint256 flags) desc,bytes data)
    swap(address >executor,(address @srcToken,address @dstToken,address >srcReceiver,
        address >dstReceiver,uint256 #amount,uint256 minReturn,uint256 flags) desc,bytes permit,
        bytes data)
    """,
    ),
    *powers(
        WITHDRAWAL,
        """
    removeLiquidity(address tokenA,address tokenB,uint256 #liquidity,uint256 minA,uint256 minB,
        address >to,uint256 deadline)
    removeLiquidityETH(address token,uint256 #liquidity,uint256 min,uint256 minETH,address >to,
        uint256 deadline)
    removeLiquidityETHSupportingFeeOnTransferTokens(address token,uint256 #liquidity,uint256 min,
        uint256 minETH,address >to,uint256 deadline)
    collect((uint256 tokenId,address >recipient,uint128 max0,uint128 max1) params)
    sweepToken(address token,uint256 min,address >recipient)
    unwrapWETH9(uint256 min,address >recipient)
    """,
    ),
    *powers(
        TRANSFER,
        """
    depositForBurn(uint256 #amount,uint32 domain,bytes32 >mintRecipient,address burnToken)
    depositForBurnWithCaller(uint256 #amount,uint32 domain,bytes32 >mintRecipient,address burnToken,
        bytes32 caller)
    depositForBurn(uint256 #amount,uint32 domain,bytes32 >mintRecipient,address burnToken,
        bytes32 caller,uint256 maxFee,uint32 finality)
    depositForBurnWithHook(uint256 #amount,uint32 domain,bytes32 >mintRecipient,address burnToken,
        bytes32 caller,uint256 maxFee,uint32 finality,bytes hook)
    send((uint32 dstEid,bytes32 >to,uint256 #amountLD,uint256 minAmountLD,bytes options,
        bytes composeMsg,bytes oftCmd) param,(uint256 nativeFee,uint256 lzTokenFee) fee,
        address >refundAddress)
    bridgeETHTo(address >to,uint32 minGas,bytes extra)
    depositETHTo(address >to,uint32 minGas,bytes extra)
    bridgeERC20To(address token,address remoteToken,address >to,uint256 #amount,uint32 minGas,
        bytes extra)
    depositERC20To(address token,address remoteToken,address >to,uint256 #amount,uint32 minGas,
        bytes extra)
    withdrawTo(address token,address >to,uint256 #amount,uint32 minGas,bytes extra)
    outboundTransfer(address token,address >to,uint256 #amount,bytes data)
    outboundTransfer(address token,address >to,uint256 #amount,uint256 maxGas,uint256 gasPrice,
        bytes data)
    depositV3(address >depositor,address >recipient,address inputToken,address @outputToken,
        uint256 #inputAmount,uint256 outputAmount,uint256 chain,address relayer,uint32 quote,
        uint32 fillDeadline,uint32 exclusivity,bytes message)
    """,
    ),
)
