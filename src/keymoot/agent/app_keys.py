"""Keys of an app, put together in its instance and nowhere else.

    secret = app_key(network, keys, app, b"wt3.trading_key", AppKeyKind.SECP256K1)

Each app, key id and kind has one key, the same for every instance and forever. Neither the
network's nodes nor whoever carries the answers learn it. The app's policy may refuse all of them.
"""

import time

from keymoot.agent.app_instance import InstanceKeys
from keymoot.agent.derived_keys import OPEN_SECONDS, insisted, one_time_key, put_together
from keymoot.agent.network import Network
from keymoot.base.fixed import AppId
from keymoot.base.secret import Secret
from keymoot.committee.outcome import INSTANCE_PURPOSE, app_key_input
from keymoot.contracts.builtin.keys import AppKeyKind, Keys, app_question_of
from keymoot.crypto import secp256k1
from keymoot.threshold.derived import key_of

_LENGTHS = {AppKeyKind.RAW_384: 48, AppKeyKind.SECP256K1: 48}
"""Bytes that are derived where it is not 32."""


def app_key(
    network: Network, keys: InstanceKeys, app: AppId, key_id: bytes, kind: AppKeyKind
) -> Secret:
    """Give a key of the app: 32 bytes, of RAW_384 48.

    Args:
        network: The pinned network; the instance's own account pays for the question.
        keys: Of a live instance of the app.
        app: Whose key.
        key_id: The app's name for it, up to 256 bytes.
        kind: What it is for; another kind of the same name is another key.

    Raises:
        TransactionFailed, NetworkRefused: with reason RAW_KEYS_REFUSED, or as `app_instance` says.
        TooFewShares: too few enclaves gave a good answer.
    """

    def point() -> Secret:
        secret, to = one_time_key()
        until = int(time.time()) + OPEN_SECONDS
        network.send(
            keys.signing, "deriveForApp", kind, key_id, to.first, to.second, until, contract=Keys
        )
        question = app_question_of(keys.address, app, kind, key_id, to.first)
        return put_together(network, question, app_key_input(app, kind, key_id), secret, to)

    key = key_of(insisted(point), INSTANCE_PURPOSE, _LENGTHS.get(kind, 32))
    return secp256k1.private_key(key.expose()) if kind is AppKeyKind.SECP256K1 else key
