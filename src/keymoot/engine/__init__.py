"""Blocks: admit, order, execute, commit, prove."""
