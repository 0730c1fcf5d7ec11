"""The journal: undo equals never happened."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Nonce, Wei
from keymoot.store.journal import Journal
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT
from tests.examples import examples

addresses = st.sampled_from([Address(bytes([n]) * 20) for n in range(3)])
slots = st.sampled_from([Bytes32(bytes([n]) * 32) for n in range(4)])
values = st.one_of(st.none(), st.binary(max_size=50))


class JournalMachine(RuleBasedStateMachine):
    """A dictionary with copies is the model of undo."""

    def __init__(self) -> None:
        super().__init__()
        self.table = MemoryTable()
        self.root = EMPTY_ROOT
        self.begin()
        self.model: dict = {}
        self.marks: list = []

    def begin(self) -> None:
        self.journal = Journal(State(self.table, self.root))

    @rule(address=addresses, slot=slots, value=values)
    def set_entry(self, address: Address, slot: Bytes32, value: bytes | None) -> None:
        self.journal.set_entry(address, slot, value)
        self.model[address, slot] = value

    @rule(address=addresses, wei=st.integers(0, 10**20), nonce=st.integers(0, 9))
    def set_account(self, address: Address, wei: int, nonce: int) -> None:
        self.journal.set_balance(address, Wei(wei))
        self.journal.set_nonce(address, Nonce(nonce))
        self.model[address] = (wei, nonce)

    @rule()
    def checkpoint(self) -> None:
        self.marks.append((self.journal.checkpoint(), dict(self.model)))

    @precondition(lambda self: self.marks)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.marks) - 1))
        mark, model = self.marks[at]
        self.journal.revert(mark)
        self.model, self.marks = dict(model), self.marks[:at]

    @rule()
    def commit(self) -> None:
        state = State(self.table, self.root)
        self.root, batch = state.updated(self.journal.changes())
        self.table.apply(batch)
        self.marks = []
        self.begin()

    @invariant()
    def agrees(self) -> None:
        for key, value in self.model.items():
            if isinstance(key, tuple):
                assert self.journal.entry(*key) == value
            else:
                account = self.journal.account(key)
                assert (account.balance, account.nonce) == value


JournalMachine.TestCase.settings = settings(max_examples=examples(60), deadline=None)
TestJournal = JournalMachine.TestCase
