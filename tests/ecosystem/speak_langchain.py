"""LangChain: a wallet's tools; a refusal is a result that the model reads."""

import json
import sys

from keymoot.adapters.langchain import wallet_tools
from keymoot.agent import Account

account = Account.connect("test")
tools = {tool.name: tool for tool in wallet_tools(account)}
asked = {"type": 2, "chainId": 8453, "nonce": 5, "gas": 21_000, "maxFeePerGas": 2}
asked |= {"maxPriorityFeePerGas": 1, "to": sys.argv[2], "value": 1, "data": "0x"}
stranger = asked | {"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}
signed = tools["sign_transaction"].invoke({"transaction": asked})
refused = [
    tools["sign_transaction"].invoke({"transaction": stranger}),
    tools["sign_typed_data"].invoke({"document": {}}),
    tools["sign_message"].invoke({"text": "log me in"}),
]
print(
    json.dumps(
        {
            "address": tools["wallet_address"].invoke({}),
            "signed": signed,
            "refused": [json.loads(one) for one in refused],
        }
    )
)
