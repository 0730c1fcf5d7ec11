"""Strangers' bytes, bred by what they reach in our code.

Beside others' code where there is some.
"""
