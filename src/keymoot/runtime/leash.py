"""Whether a signed query counts on a state: how far it may be carried.

The state knows the blocks that it builds on. So a query of another chain or branch, of an older
state than its sender knew, or of long ago is refused by whoever has that state, without a clock.
"""

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.crypto.signed_query import SignedQuery
from keymoot.runtime.history import ancestor_hash
from keymoot.store.state import State

MAX_REACH = 256
"""How many blocks after the one that its sender knew a query may count."""


class LeashBroken(Refused, code="LEASH"):
    def __init__(self, why: str) -> None:
        super().__init__(f"the signed query does not count: {why}. Sign it anew")


def check_leash(signed: SignedQuery, state: State, block: BlockEnvironment, name: Hash32) -> None:
    """Raise unless a signed query counts on the state after `block`, whose hash is `name`.

    Its signature is checked elsewhere.
    """
    # 1. Its sender knew no newer block, and this one is not too far behind what he knew.
    if signed.reach > MAX_REACH:
        raise LeashBroken(f"its range is {signed.reach} blocks, at most {MAX_REACH} are allowed")
    if not signed.block <= block.height <= signed.block + signed.reach:
        raise LeashBroken(
            f"it is for blocks {signed.block} to {signed.block + signed.reach}, "
            f"this is block {block.height}"
        )
    # 2. The block that he knew is of this very chain.
    known = name
    if signed.block != block.height:
        known = ancestor_hash(state, signed.block, block.height) or Hash32(bytes(32))
    if signed.block_hash != known:
        raise LeashBroken(f"block {signed.block} has another hash on this chain")
    # 3. He has not taken it back since.
    nonce = state.account(signed.sender).nonce
    if signed.nonce < nonce:
        raise LeashBroken(f"its nonce is {signed.nonce}, the account's is {nonce} by now")
