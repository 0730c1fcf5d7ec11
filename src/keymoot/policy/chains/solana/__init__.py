"""Transactions of Solana: every instruction known, and every transfer under a rule of its own."""
