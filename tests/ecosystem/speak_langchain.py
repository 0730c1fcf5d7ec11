"""LangChain: a tool is a function; its refusal is a result that the model reads."""

import json
import sys

from langchain_core.tools import StructuredTool, ToolException

from keymoot.agent import Account, PolicyRefused

account = Account.connect("test")


def pay(to: str, value: int) -> str:
    """Pay `value` wei to an address; gives the signed transaction."""
    asked = {"type": 2, "chainId": 8453, "nonce": 5, "gas": 21_000, "maxFeePerGas": 2}
    asked |= {"maxPriorityFeePerGas": 1, "to": to, "value": value, "data": "0x"}
    try:
        return account.sign_transaction(asked).raw_transaction.to_0x_hex()
    except PolicyRefused as error:
        raise ToolException(error.reason) from error


tool = StructuredTool.from_function(pay, handle_tool_error=True)
signed = tool.invoke({"to": sys.argv[2], "value": 1})
refused = tool.invoke({"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "value": 1})
print(json.dumps({"address": account.address, "signed": signed, "refused": refused}))
