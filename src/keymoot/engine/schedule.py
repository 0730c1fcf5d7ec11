"""Whose turn it is to sign: the validators of the next block, and of the one after."""

from keymoot.attest.block import Block
from keymoot.attest.validators import ValidatorSet
from keymoot.base.units import Height
from keymoot.engine.application import Application
from keymoot.moot.message import MESSAGE_TYPE
from keymoot.runtime.assembly import assembly_in
from keymoot.runtime.members import validators_at
from keymoot.store.table import Table

_MESSAGE = bytes((MESSAGE_TYPE,))


class ValidatorSchedule:
    """Two sets, one block apart: what a block decides of members counts two blocks above it.

    Attributes:
        next: Validators of the block after the newest one.
        following: Those of the block after that.
    """

    def __init__(self, app: Application, table: Table) -> None:
        """Read both from the newest state, which `table` holds."""
        self._app = app
        height = app.committed.height
        self.next = self._at(Height(height + 1), table)
        self.following = self._at(Height(height + 2), table)

    def pass_on(self, block: Block, table: Table) -> None:
        """Go one block on, over a block whose state `table` holds.

        Only nodes' messages bring other members, so others are read after such a block only.
        """
        self.next = self.following
        if any(raw[:1] == _MESSAGE for raw in block.transactions):
            self.following = self._at(Height(block.header.height + 2), table)

    def _at(self, height: Height, table: Table) -> ValidatorSet:
        genesis = self._app.genesis
        assembly = assembly_in(self._app.state(table), genesis.network)
        return validators_at(assembly, genesis, height)
