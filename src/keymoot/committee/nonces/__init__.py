"""Nonces for FROST: committed to ahead, bound once."""
