"""Transactions of Ethereum's kind: decoded, and held against rules on functions and arguments."""
