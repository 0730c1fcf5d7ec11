"""An agent beside the daemon has an account like any other, and believes no answer unchecked."""

import copy
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from threading import Thread

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount

from keymoot.agent import PolicyRefused, SocketAccount
from keymoot.agent.errors import NetworkUnreachable, NoKeyHere, NotSignable, WrongAnswer
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address
from tests.daemon.instance import WALLET
from tests.daemon.test_own_api import WISH

MAIL = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}],
        "Mail": [{"name": "text", "type": "string"}],
    },
    "primaryType": "Mail",
    "domain": {"name": "Post"},
    "message": {"text": "hello"},
}


@pytest.fixture
def account(served: Path) -> SocketAccount:
    return SocketAccount.connect("mine", socket=served)


def test_it_signs_as_eth_accounts_own(account: SocketAccount) -> None:
    assert isinstance(account, LocalAccount)
    assert account.address == WALLET.address
    signed = account.sign_transaction(WISH)
    assert EthAccount.recover_transaction(signed.raw_transaction) == WALLET.address
    text = encode_defunct(text="log me in")
    signature = account.sign_message(text).signature
    assert EthAccount.recover_message(text, signature=signature) == WALLET.address
    typed = account.sign_typed_data(full_message=MAIL)
    signable = encode_typed_data(full_message=MAIL)
    assert EthAccount.recover_message(signable, signature=typed.signature) == WALLET.address
    assert typed == WALLET.sign_typed_data(full_message=MAIL)


def test_names_of_wishes_reach_the_network(account: SocketAccount, asking) -> None:
    account.sign_transaction(WISH, idempotency_key="round 7")
    assert asking.instance.asked[-1] == ("sign", "round 7")


def test_a_refusal_has_all_its_fields(account: SocketAccount) -> None:
    with pytest.raises(PolicyRefused, match="too much") as refused:
        account.sign_transaction({**WISH, "value": 101})
    assert (refused.value.reason, refused.value.proved) == ("LIMIT_EXCEEDED", 7)


def test_nothing_is_signed_blind(account: SocketAccount, asking) -> None:
    for wish in (lambda: account.key, lambda: bytes(account), lambda: account.encrypt("x")):
        with pytest.raises(NoKeyHere):
            wish()
    with pytest.raises(NotSignable):
        account.unsafe_sign_hash(bytes(32))
    with pytest.raises(NotSignable):
        account.sign_payload("eth_sign", bytes(32))
    with pytest.raises(NotSignable):
        account.sign_payload("eth_signTransaction", b"\x02\xc0")
    assert asking.instance.asked == []


def test_another_wallet_or_no_daemon(served: Path, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(WrongAnswer, match="--wallet other"):
        SocketAccount.connect("other", socket=served)
    with pytest.raises(NetworkUnreachable):
        SocketAccount.connect("mine", socket=tmp_path / "nothing")
    monkeypatch.delenv("KEYMOOT_SOCKET", raising=False)
    with pytest.raises(NetworkUnreachable, match="KEYMOOT_SOCKET is not set"):
        SocketAccount.connect("mine")
    monkeypatch.setenv("KEYMOOT_SOCKET", str(served))
    assert SocketAccount.connect("mine").address == WALLET.address


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = False  # closing waits for them


@contextmanager
def answering(path: Path, status: int, body: bytes):
    """Stand in for a daemon that answers the same, whatever it is asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "socket"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _Server(str(path), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


OTHERS = (
    "0x"
    + bytes(EthAccount.from_key(b"\x33" * 32).sign_typed_data(full_message=MAIL).signature).hex()
)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"signature": "0x"}'),
        (200, json.dumps({"signature": "0x" + "00" * 65}).encode()),
        (200, json.dumps({"signature": "0x" + "ff" * 65}).encode()),
        (200, json.dumps({"signature": OTHERS}).encode()),
        (403, b"{}"),
        (403, b'{"error": {"code": "POLICY_REFUSED", "message": "x", "data": []}}'),
        (502, b'{"error": {"code": "ANSWER_LOST", "message": "lost"}}'),
        (200, b'{"signature": "' + b"0" * (1 << 20) + b'"}'),
    ],
)
def test_what_a_daemon_says_is_checked(tmp_path: Path, status: int, body: bytes) -> None:
    account = SocketAccount("mine", Address.from_hex(WALLET.address), str(tmp_path / "s"))
    with answering(tmp_path / "s", status, body), pytest.raises(KeymootError) as refused:
        account.sign_typed_data(full_message=MAIL)
    assert not isinstance(refused.value, PolicyRefused)


def test_it_holds_nothing_that_may_not_travel(account: SocketAccount) -> None:
    again = copy.deepcopy(account)
    assert again.address == account.address
    assert again.sign_message(encode_defunct(text="x")).signature
