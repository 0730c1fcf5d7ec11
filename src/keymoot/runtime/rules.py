"""Bounds of a block, which every proposer and every replica keeps."""

from keymoot.base.units import UnixSeconds

MAX_BLOCK_BYTES = 4_194_304
"""Bytes of a block's transactions."""

MAX_BLOCK_TRANSACTIONS = 256
"""Transactions of a block."""

MAX_TIME = UnixSeconds(253_402_300_799)
"""The latest date of a block, the last second of the year 9999. Time never goes back, and what is
reckoned from it (an expiry, the end of a window) must still be a number that state can hold."""
