"""Keys that an account derives through the network, and only it can put together.

    keys = DerivedKeys(network, secret_of_the_account)
    secret = keys.derive(b"login at example.org")

The same account and name give the same key, always. The network's nodes learn nothing of
it, and neither does whoever carries the answers.
"""

from typing import NoReturn

from keymoot.agent.key_questions import KeyQuestion, KeyQuestions
from keymoot.agent.network import Network
from keymoot.agent.processes import stays_here
from keymoot.base.secret import Secret
from keymoot.committee.outcome import APP_PURPOSE, key_input
from keymoot.contracts.builtin.keys import MAX_NAME_BYTES, question_of
from keymoot.crypto import secp256k1
from keymoot.threshold import derived


class DerivedKeys:
    """An account's own keys; the account pays for each question in the ledger's token."""

    def __init__(self, network: Network, key: Secret) -> None:
        self._network = network
        self._questions = KeyQuestions(network, key)
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
        return derived.key_of(self._point(name), APP_PURPOSE, length)

    def _point(self, name: bytes) -> Secret:
        asker = self.address
        question = KeyQuestion(
            method="derive",
            arguments=(name,),
            inputs=key_input(asker, name),
            name=lambda first: question_of(asker, name, first),
        )
        return self._questions.point(question)
