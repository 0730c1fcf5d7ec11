"""Functions that are known to hand value or control to somebody: one table for parser, refusals and lint."""
