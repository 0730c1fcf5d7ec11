"""Functions that are known to hand value or control to somebody.

One table for parser, refusals and lint.
"""
