"""Presignatures: dealt ahead in batches, bound once."""
