"""Bounds of a block, which every proposer and every replica keeps."""

MAX_BLOCK_BYTES = 4_194_304
"""Bytes of a block's transactions."""

MAX_BLOCK_TRANSACTIONS = 256
"""Transactions of a block."""
