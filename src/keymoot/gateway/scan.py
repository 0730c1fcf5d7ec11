"""Long looks back over many blocks: one at a time, in steps, and the ledger goes on meanwhile.

The engine makes blocks in the same loop. A question that reads ten thousand of them at once
would stop the network for as long as that takes.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from keymoot.base.units import Height
from keymoot.engine.stored_block import StoredBlock
from keymoot.gateway.services import Services

T = TypeVar("T")


async def scan_blocks(
    services: Services, first: int, last: int, take: Callable[[StoredBlock], T]
) -> list[T]:
    taken = []
    async with services.scanning:
        for height in range(first, last + 1):
            await asyncio.sleep(0)
            block = services.ledger.block(Height(height))
            if block is not None:
                taken.append(take(block))
    return taken
