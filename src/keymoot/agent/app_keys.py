"""Keys of an app, put together in its instance and nowhere else.

    keys = AppKeys(network, instance_keys, app)
    secret = keys.derive(b"wt3.trading_key", AppKeyKind.SECP256K1)

Each app, key id and kind has one key, the same for every instance and forever. Neither the
network's nodes nor whoever carries the answers learn it. The app's policy may refuse all of them.
"""

from typing import NoReturn

from keymoot.agent.app_instance import InstanceKeys
from keymoot.agent.key_questions import KeyQuestion, KeyQuestions
from keymoot.agent.network import Network
from keymoot.agent.processes import stays_here
from keymoot.base.fixed import AppId
from keymoot.base.secret import Secret
from keymoot.committee.outcome import INSTANCE_PURPOSE, app_key_input
from keymoot.contracts.builtin.keys import AppKeyKind, app_question_of
from keymoot.crypto import secp256k1
from keymoot.threshold.derived import key_of

_LENGTHS = {AppKeyKind.RAW_384: 48, AppKeyKind.SECP256K1: 48}
"""Bytes that are derived where it is not 32."""


class AppKeys:
    """An app's keys, as one live instance of it gets them."""

    def __init__(self, network: Network, keys: InstanceKeys, app: AppId) -> None:
        """Take the pinned network, and an instance's keys: its own account pays for questions."""
        self._asker, self._app = keys.address, app
        self._questions = KeyQuestions(network, keys.signing)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the instance's keys."""
        stays_here("an app's keys", "make new ones: InstanceKeys.new()")

    def derive(self, key_id: bytes, kind: AppKeyKind) -> Secret:
        """Give a key of the app: 32 bytes, of RAW_384 48.

        Args:
            key_id: The app's name for it, up to 256 bytes.
            kind: What it is for; another kind of the same name is another key.

        Raises:
            TransactionFailed, NetworkRefused: with reason RAW_KEYS_REFUSED, or as `app_instance`
                says.
            TooFewShares: too few enclaves gave a good answer.
        """
        asker, app = self._asker, self._app
        question = KeyQuestion(
            method="deriveForApp",
            arguments=(kind, key_id),
            inputs=app_key_input(app, kind, key_id),
            name=lambda first: app_question_of(asker, app, kind, key_id, first),
        )
        point = self._questions.point(question)
        key = key_of(point, INSTANCE_PURPOSE, _LENGTHS.get(kind, 32))
        return secp256k1.private_key(key.expose()) if kind is AppKeyKind.SECP256K1 else key
