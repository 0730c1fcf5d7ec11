"""The ledger's state: Ethereum's trie over any table, public and confidential stores over it."""
