"""Recover who sent raw Ethereum transactions; imports nothing but eth_account.

python recover_senders.py FILE      one 0x… transaction a line; prints one address a line
"""

import sys

from eth_account import Account

if __name__ == "__main__":
    with open(sys.argv[1]) as listing:  # noqa: PTH123  no import but eth_account's
        for line in listing:
            print(Account.recover_transaction(line.strip()))
