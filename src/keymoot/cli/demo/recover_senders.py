"""Recover who sent raw Ethereum transactions; imports nothing but eth_account.

    python recover_senders.py FILE      one 0x… transaction a line; prints one address a line
"""

import sys

from eth_account import Account

for line in open(sys.argv[1]):
    print(Account.recover_transaction(line.strip()))
