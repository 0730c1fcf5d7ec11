"""Tools for LangChain over a wallet of the network (`langchain-core` 0.3 and later).

    from keymoot.adapters.langchain import wallet_tools
    tools = wallet_tools(Account.connect("yield"))
    agent = create_agent(model, tools)

A model calls them with what it made up or was told. The wallet's policy decides; a refusal is the
tool's result, which the model reads and goes on with.
"""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from eth_account.messages import encode_defunct
from hexbytes import HexBytes

from keymoot.agent.evm_account import EvmAccount
from keymoot.base.errors import KeymootError
from keymoot.policy.errors import PolicyRefused


def wallet_tools(account: EvmAccount) -> list[Any]:
    """Give LangChain's tools for a wallet: its address, and what it signs.

    None of them sends anything to a chain: signed transactions are given back in hex.
    """
    core = import_module("langchain_core.tools")

    def tool(act: Callable[..., str]) -> Any:
        return core.StructuredTool.from_function(act, handle_tool_error=True)

    def told(sign: Callable[[], HexBytes]) -> str:
        try:
            return sign().to_0x_hex()
        except PolicyRefused as error:
            raise core.ToolException(json.dumps(error.to_json())) from error
        except KeymootError as error:
            raise core.ToolException(
                json.dumps({"code": error.code, "message": str(error)})
            ) from error

    def wallet_address() -> str:
        """Give the wallet's address."""
        return str(account.address)

    def sign_transaction(transaction: dict[str, Any]) -> str:
        """Sign an EVM transaction, complete, of type 0, 1 or 2, as web3.py's dictionary has it.

        Gives the raw signed transaction in hex, or says why the wallet's policy refuses it.
        """
        return told(lambda: account.sign_transaction(transaction).raw_transaction)

    def sign_typed_data(document: dict[str, Any]) -> str:
        """Sign an EIP-712 document: types, primaryType, domain, message.

        Gives the signature in hex, or says why the wallet's policy refuses it.
        """
        return told(lambda: account.sign_typed_data(full_message=document).signature)

    def sign_message(text: str) -> str:
        """Sign a text for people (EIP-191).

        Gives the signature in hex, or says why the wallet's policy refuses it.
        """
        return told(lambda: account.sign_message(encode_defunct(text=text)).signature)

    return [
        tool(function)
        for function in (wallet_address, sign_transaction, sign_typed_data, sign_message)
    ]
