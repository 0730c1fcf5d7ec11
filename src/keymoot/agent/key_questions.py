"""Questions for derived keys: asked and answered in one exchange, each paid for by its account.

A good answer is put together from what enclaves sealed to this very question, and fits the root
that is proved; that it came shows that the question stands in a certified block. So nothing else
is asked of a node: neither a receipt, nor what the question costs. Where no good answer comes, the
question's receipt is proved, and its answers are fetched, of any node.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.key_combiner import Deriving
from keymoot.agent.network import Network
from keymoot.agent.nodes import NodeTurn
from keymoot.agent.processes import stays_here
from keymoot.agent.share_collection import CollectedAnswers, TooFewShares
from keymoot.agent.submission import ESTIMATED
from keymoot.base.errors import Portable
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Gas, Nonce
from keymoot.committee.roots import DERIVE
from keymoot.contracts.builtin.keys import Keys
from keymoot.proof.committee import ProvenCommittee
from keymoot.threshold import derived
from keymoot.threshold.derived import AskerKey
from keymoot.threshold.rng import SEED_BYTES, SeededRng

OPEN_SECONDS = 300
"""How long a question stays open on the ledger."""

ATTEMPTS = 3
"""How often a question is asked anew whose answers got lost."""

QUESTION_GAS = Gas(400_000)
"""Any question that is allowed needs less; what it does not use is not paid for."""


@dataclass(frozen=True, slots=True)
class KeyQuestion:
    """What is asked of the contract Keys, but for the one-time key.

    Attributes:
        method: Of Keys.
        arguments: Those before the one-time key.
        inputs: What the key is derived from.
        name: Gives the question's name by the one-time key in G1.
    """

    method: str
    arguments: tuple[Any, ...]
    inputs: bytes
    name: Callable[[bytes], Hash32]


class _PlaceTaken(Portable, Exception):
    """A question was refused that was signed for the nonce after our last one."""


class KeyQuestions:
    """Asks in the name of one account, from any number of threads.

    Which nonce is next is known from the question before. A question that is refused costs gas, so
    the one after it is tried out first.
    """

    def __init__(self, network: Network, key: Secret) -> None:
        self._network, self._key = network, key
        self._next: Nonce | None = None
        self._careful = False

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the account's key."""
        stays_here("an account's questions", "load the account's key there")

    def point(self, question: KeyQuestion) -> Secret:
        """Give the derived point; ask anew where answers got lost, a few times.

        Raises:
            TransactionFailed, NetworkRefused: the question was not taken.
            TooFewShares: too few enclaves gave a good answer.
        """
        for _ in range(ATTEMPTS - 1):
            with suppress(TooFewShares, _PlaceTaken):
                return self._asked(question)
        return self._asked(question)

    def _asked(self, question: KeyQuestion) -> Secret:
        network = self._network
        secret, to = derived.asker(SeededRng(Secret(os.urandom(SEED_BYTES))))
        name, until = question.name(to.first), int(time.time()) + OPEN_SECONDS
        answers = _Answers(network, name, question.inputs, secret, to)
        # Whoever takes the nonce uses it; until this question is taken nothing is known of it.
        nonce, self._next = self._next, None
        gas, self._careful = ESTIMATED if self._careful else QUESTION_GAS, True
        arguments = (*question.arguments, to.first, to.second, until)
        try:
            asked = network.submission().ask(
                self._key, Keys, question.method, arguments, answers.read, gas=gas, nonce=nonce
            )
        except NetworkRefused as error:
            if nonce is None:
                raise
            raise _PlaceTaken from error
        self._next, self._careful = asked.nonce, False
        return answers.fetched() if asked.answer is None else asked.answer


@dataclass(frozen=True, slots=True)
class _Answers:
    """What must be known to read the answers to one question; `kept` came before, from any node."""

    network: Network
    name: Hash32
    inputs: bytes
    secret: Secret
    to: AskerKey
    kept: CollectedAnswers = field(default_factory=CollectedAnswers)

    def read(self, turn: NodeTurn, told: Any) -> Secret:
        """Give the derived point; TooFewShares where too few answers are good."""
        if not isinstance(told, dict):
            raise WrongAnswer("a question was answered by something else: is it Keymoot RPC?")
        proven, seconds = self.network.proven(), self.network.timeout_seconds
        committee = proven.committee(turn, seconds)
        try:
            return self._combined(told, committee)
        except TooFewShares:
            # Others may keep the keys by now, with other shares.
            newer = proven.renewed(turn, seconds)
            if newer.header == committee.header:
                raise
        return self._combined(told, newer)

    def fetched(self) -> Secret:
        """Fetch what is answered to a question that the ledger took."""

        def at_node(turn: NodeTurn) -> Secret:
            left = turn.left_seconds
            answer = turn.get(f"/shares/{self.name.hex0x}?wait={int(900 * left)}", left)
            if answer is None:
                raise WrongAnswer("the network does not know the question that it took")
            return self.read(turn, answer)

        return self.network.ask(at_node)

    def _combined(self, told: dict[str, Any], committee: ProvenCommittee) -> Secret:
        network: NetworkId = self.network.identity().network
        nodes, root = committee.identities, committee.roots[DERIVE]
        deriving = Deriving(network, self.name, nodes, self.inputs, self.secret, self.to, root)
        return deriving.run(told, self.kept)
