"""Keys that an account derives through the network, and only it can put together.

    keys = DerivedKeys(network, secret_of_the_account)
    secret = keys.derive(b"login at example.org")

The same account and name give the same key, always. The network's nodes learn nothing of
it, and neither does whoever carries the answers.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from keymoot.agent.errors import WrongAnswer
from keymoot.agent.network import Network
from keymoot.agent.nodes import NodeTurn
from keymoot.agent.processes import stays_here
from keymoot.agent.share_collection import CollectedAnswers, Declined, ShareCollection, TooFewShares
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.committee.outcome import APP_PURPOSE, key_input
from keymoot.committee.roots import DERIVE
from keymoot.contracts.builtin.keys import MAX_NAME_BYTES, Keys, question_of
from keymoot.crypto import secp256k1
from keymoot.proof.committee import ProvenCommittee
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.errors import TooFew
from keymoot.threshold.rng import SEED_BYTES, SeededRng
from keymoot.threshold.root import Root

OPEN_SECONDS = 300
"""How long a question stays open on the ledger."""

ATTEMPTS = 3
"""How often a question is asked anew whose answers got lost."""


class DerivedKeys:
    """An account's own keys; the account pays for each question in the ledger's token."""

    def __init__(self, network: Network, key: Secret) -> None:
        self._network = network
        self._key = key
        self.address = secp256k1.address_of_secret(key)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the account's key."""
        stays_here("an account's DerivedKeys", "load the key from its keystore (keystore.load)")

    def derive(self, name: bytes, length: int = 32) -> Secret:
        """Give the account's key of that name (up to 256 bytes): `length` bytes, 16 to 64.

        Raises:
            ValueError: the name is too long, or the length out of bounds.
            TransactionFailed, NetworkRefused: the question was not taken.
            TooFewShares: too few enclaves gave a good answer.
        """
        if len(name) > MAX_NAME_BYTES:
            raise ValueError(f"a key's name has at most {MAX_NAME_BYTES} bytes, got {len(name)}")
        if not 16 <= length <= 64:
            raise ValueError(f"a key has 16 to 64 bytes, asked for {length}")
        return derived.key_of(insisted(lambda: self._point(name)), APP_PURPOSE, length)

    def _point(self, name: bytes) -> Secret:
        network = self._network
        secret, to = one_time_key()
        until = int(time.time()) + OPEN_SECONDS
        network.send(self._key, "derive", name, to.first, to.second, until, contract=Keys)
        question = question_of(self.address, name, to.first)
        return put_together(network, question, key_input(self.address, name), secret, to)


def one_time_key() -> tuple[Secret, AskerKey]:
    return derived.asker(SeededRng(Secret(os.urandom(SEED_BYTES))))


def insisted(ask: Callable[[], Secret]) -> Secret:
    """Ask for a derived point anew where the answers got lost, a few times."""
    for _ in range(ATTEMPTS - 1):
        with suppress(TooFewShares):
            return ask()
    return ask()


def put_together(
    network: Network, question: Hash32, inputs: bytes, secret: Secret, to: AskerKey
) -> Secret:
    """Collect what enclaves answer to a question that the ledger took; give the derived point.

    TooFewShares: too few enclaves gave a good answer.
    """
    identity, proven = network.identity(), network.proven()
    kept, seconds = CollectedAnswers(), network.timeout_seconds

    def one(turn: NodeTurn) -> Secret:
        left = turn.left_seconds
        answer = turn.get(f"/shares/{question.hex0x}?wait={int(900 * left)}", left)
        if answer is None:
            raise WrongAnswer("the network does not know the question that it took")

        def combined(committee: ProvenCommittee) -> Secret:
            nodes, root = committee.identities, committee.roots[DERIVE]
            deriving = Deriving(identity.network, question, nodes, inputs, secret, to, root)
            return deriving.run(answer, kept)

        committee = proven.committee(turn, seconds)
        try:
            return combined(committee)
        except TooFewShares:
            # Others may keep the keys by now, with other shares.
            newer = proven.renewed(turn, seconds)
            if newer.header == committee.header:
                raise
        return combined(newer)

    return network.ask(one)


@dataclass(frozen=True, slots=True)
class Deriving(ShareCollection[Secret]):
    """What must be known to put one derived key together.

    Attributes:
        inputs: What is derived from.
        secret, to: The one-time key.
        root: As proved, with what each member's share is committed to.
    """

    inputs: bytes
    secret: Secret
    to: AskerKey
    root: Root

    def combine(self, answers: list[Any], committee: Committee) -> Secret:
        """Give the derived point, checked against the root's key."""
        del committee
        known, said = G2.encode(self.root.public), []
        shares: dict[int, DerivationShare] = {}
        for answer in answers:
            try:
                seat, content = self._content(answer)
                public, pair = list_of(rlp.decode(content), 2, "answer")
                if bytes_of(public, "public", G2.POINT_BYTES) != known:
                    raise Malformed(f"seat {seat} derives from another root than the network's")
                shares[seat] = DerivationShare.of_item(pair)
            except (Malformed, Declined) as error:
                said.append(str(error))
        if len(shares) <= self.root.degree:
            raise TooFewShares("too few answers: " + "; ".join(said or ["none came"]))
        try:
            point, _ = derived.combine(self.root, self.inputs, self.secret, self.to, shares)
        except TooFew as error:
            raise TooFewShares(f"too few answers are good: {error}") from error
        return point
