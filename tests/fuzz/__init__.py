"""Strangers' bytes, bred by what they reach in our code; beside others' code where there is some."""
