"""Ask a view so that whoever carries question and answer can neither read nor change the answer.

python examples/private_view.py http://127.0.0.1:8645 0xWALLET

The contract here is the built-in Wallets, whose state is public. With a contract that keeps
confidential state it is the same: the key is whose state it tells.
"""

import sys

try:
    from keymoot.agent.network import Network
    from keymoot.agent.owner import new_key
    from keymoot.agent.program import program
    from keymoot.agent.query import ConfidentialQueries
    from keymoot.base.fixed import WalletId
    from keymoot.contracts.builtin.wallets.contract import Wallets
except ModuleNotFoundError as absent:
    raise SystemExit(f"{absent.name} is missing: pip install keymoot") from None


def main(url: str, wallet: str) -> None:
    asking = ConfidentialQueries(Network(url), new_key())
    answer = asking.view(Wallets, "wallet", WalletId.from_hex(wallet))
    owner, recovery, account, *_ = answer.values
    block = answer.header
    print(f"address {account.hex0x}, recovery {recovery.hex0x}, owner {owner.hex0x}")
    print(f"of block {block.height}, {block.hash.hex0x}, by the enclave of seat {answer.seat}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    with program():
        main(*sys.argv[1:])
