"""Wallets of the network in the shapes that others' packages want; each is imported when used."""
