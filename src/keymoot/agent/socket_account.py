"""An account of an agent that runs beside the daemon: it asks a socket, and has no credential.

    from keymoot.agent import SocketAccount
    acct = SocketAccount.connect("yield")    # KEYMOOT_SOCKET, which the daemon sets
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(acct), layer=0)

It is used as `Account` is. What the daemon answers is checked: a signature is the wallet's, over
exactly what was asked. Whoever may open the socket may do the same, so nothing else is secret here.
"""

import http.client
import os
import socket as sockets
from typing import Any, Final, Self

from keymoot.agent.errors import DaemonUnreachable, WrongAnswer
from keymoot.agent.evm_account import EvmAccount
from keymoot.base import hexes
from keymoot.base.errors import Malformed, Relayed
from keymoot.base.fixed import Address, Hash32, Signature65
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.crypto import secp256k1
from keymoot.policy.errors import PolicyRefused

SOCKET: Final = "KEYMOOT_SOCKET"
TIMEOUT_SECONDS = 60.0
MAX_ANSWER_BYTES = 1 << 20
_SIGNATURE_BYTES = 65


class SocketAccount(EvmAccount):
    """A wallet that was granted to the app of which this agent is an instance.

    Safe to use from several threads and after a fork: each call opens the socket anew.
    """

    def __init__(
        self, name: str, address: Address, socket: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Take what the daemon said; see `connect`."""
        self._stand_for(address)
        self.name, self._socket, self._timeout_seconds = name, socket, timeout_seconds

    @classmethod
    def connect(cls, name: str, *, socket: str | os.PathLike[str] | None = None) -> Self:
        """Open the wallet that the daemon was started with under that name.

        Args:
            name: As `keymoot agent run --wallet` has it.
            socket: The daemon's socket; KEYMOOT_SOCKET if None.

        Raises:
            DaemonUnreachable: no daemon answers there.
            WrongAnswer: it has no such wallet, or is none.
        """
        path = os.fspath(socket or os.environ.get(SOCKET, ""))
        told = _asked(path, "GET", "/v1/wallets", None, TIMEOUT_SECONDS)
        wallets = told.get("wallets")
        for wallet in wallets if isinstance(wallets, list) else []:
            if isinstance(wallet, dict) and wallet.get("name") == name:
                return cls(name, Address.from_hex(str(wallet.get("address"))), path)
        raise WrongAnswer(
            f'the daemon has no wallet "{name}": start it with --wallet {name}, which its owner '
            "granted to the app"
        )

    def __repr__(self) -> str:
        return f"SocketAccount({self.name!r}, {self._address})"

    def _released(
        self, method: str, payload: bytes, digest: Hash32, idempotency_key: str | None
    ) -> Signature65:
        wish: dict[str, Json] = {"method": method, "payload": hexes.data(payload)}
        if idempotency_key is not None:
            wish["idempotencyKey"] = idempotency_key
        path = f"/v1/wallets/{self.name}/sign/payload"
        told = _asked(self._socket, "POST", path, wish, self._timeout_seconds)
        try:
            raw = hexes.parse_data(told.get("signature"), "signature", _SIGNATURE_BYTES)
            signature = Signature65(
                raw[:-1] + bytes((raw[-1] - 27,)) if raw[-1:] >= b"\x1b" else raw
            )
            signer = secp256k1.recover(digest, signature)
        except Malformed as error:
            raise WrongAnswer(f"the daemon's signature is none: {error}") from error
        if signer != self._evm_address:
            raise WrongAnswer(f"the signature is by {signer.hex0x}, not by {self._address}")
        return signature


class _UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a socket of this machine."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _asked(
    socket: str, method: str, path: str, body: Json, timeout_seconds: float
) -> dict[str, Any]:
    """Ask the daemon once; raise what it refused by its own word."""
    if not socket:
        raise DaemonUnreachable("", f"{SOCKET} is not set")
    connection = _UnixConnection(socket, timeout_seconds)
    try:
        raw = None if body is None else canonical(body)
        connection.request(method, path, raw, {"Content-Type": "application/json"})
        with connection.getresponse() as answer:
            status, text = answer.status, answer.read(MAX_ANSWER_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or "it hung up"
        raise DaemonUnreachable(socket, why) from error
    finally:
        connection.close()
    try:
        told = parse(text, MAX_ANSWER_BYTES)
    except Malformed as error:
        raise WrongAnswer(f"the daemon's answer is not read: {error}") from error
    if not isinstance(told, dict):
        raise WrongAnswer("the daemon's answer is no object")
    if status != http.client.OK:
        raise _refusal(told.get("error"), status)
    return told


def _refusal(error: Json, status: int) -> Exception:
    if not isinstance(error, dict):
        return WrongAnswer(f"the daemon answers with status {status} and no reason")
    code, message, data = error.get("code"), str(error.get("message")), error.get("data")
    if code == PolicyRefused.code and isinstance(data, dict):
        height = error.get("provedAt")
        return PolicyRefused(message, data, height if isinstance(height, int) else None)
    return Relayed(str(code), message)
