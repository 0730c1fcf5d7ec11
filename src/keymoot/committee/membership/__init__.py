"""Membership: who joins and who leaves with the end of an epoch."""
