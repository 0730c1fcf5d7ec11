"""An agent that signs through Keymoot with unmodified web3.py (`pip install keymoot web3`).

export KEYMOOT_CREDENTIAL=yield.cred TARGET_RPC=http://127.0.0.1:8545
python examples/agent.py 0xRECIPIENT 1000000000000000
"""

import sys

try:
    from web3 import Web3
    from web3.exceptions import Web3Exception
    from web3.middleware import SignAndSendRawMiddlewareBuilder

    from keymoot.agent import Account
    from keymoot.agent.program import program, setting
except ModuleNotFoundError as absent:
    raise SystemExit(f"{absent.name} is missing: pip install keymoot web3") from None


def main(recipient: str, wei: int) -> None:
    account = Account.connect("yield")
    w3 = Web3(Web3.HTTPProvider(setting("TARGET_RPC", "the RPC of the chain to act on")))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    name = w3.eth.send_transaction({"from": account.address, "to": recipient, "value": wei})
    print("mined in block", w3.eth.wait_for_transaction_receipt(name)["blockNumber"])


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    with program(Web3Exception):  # a refusal is a line with its reason, and status 3
        main(sys.argv[1], int(sys.argv[2]))
