"""The chains for which wallets sign: each a folder, and one object that says all of it."""
