"""What proposers and validators agree on about blocks beside their bounds; ABCI's parameters."""

from keymoot.attest.block import consensus_hash
from keymoot.base.units import Seconds
from keymoot.runtime.gas import BLOCK_LIMIT
from keymoot.runtime.rules import MAX_BLOCK_BYTES

MAX_LAG_SECONDS = Seconds(5)
"""A block dated further behind the clock than this must be empty."""

APP_VERSION = 1
"""Version of the application; headers carry it."""

CONSENSUS_HASH = consensus_hash(MAX_BLOCK_BYTES, BLOCK_LIMIT)
"""What headers carry of these parameters."""
