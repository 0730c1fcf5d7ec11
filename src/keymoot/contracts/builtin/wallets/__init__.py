"""Wallets: owners, credentials, policies, budgets, requests and what serves them."""
