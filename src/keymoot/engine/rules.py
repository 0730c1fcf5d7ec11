"""What every proposer and every validator agree on about blocks; ABCI's parameters."""

from keymoot.attest.block import consensus_hash
from keymoot.base.units import Seconds
from keymoot.runtime.gas import BLOCK_LIMIT

MAX_BLOCK_BYTES = 4_194_304
"""Bytes of a block's transactions."""

MAX_BLOCK_TRANSACTIONS = 256
"""Transactions of a block."""

MAX_LAG_SECONDS = Seconds(5)
"""A block dated further behind the clock than this must be empty."""

APP_VERSION = 1
"""Version of the application; headers carry it."""

CONSENSUS_HASH = consensus_hash(MAX_BLOCK_BYTES, BLOCK_LIMIT)
"""What headers carry of these parameters."""
