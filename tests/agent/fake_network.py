"""A network in one thread: small, honest, and able to misbehave on demand.

It keeps one wallet's key, checks credentials and ids as the ledger does, refuses what a
test's rule refuses, seals its answers to the reply key and signs them as a node.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha384
from http.server import BaseHTTPRequestHandler
from typing import Any

from keymoot.agent.credential import Credential
from keymoot.base import hexes, rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, Signature65, WalletId
from keymoot.base.request import (
    ASK_AGAIN,
    SIGN_HYPERLIQUID,
    SIGN_TRANSACTION,
    Request,
    decode_request,
)
from keymoot.base.secret import Secret
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import EvmTransaction, decode_unsigned
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto import ed25519, hpke, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import credential_of, request_key
from keymoot.policy.chains.evm.hyperliquid.action import read_action
from keymoot.policy.decide import decide
from keymoot.policy.refusal import NeverSigned
from keymoot.proof.build import prove_cells
from keymoot.proof.bundle import ProofBundle
from keymoot.proof.log import record_slot
from keymoot.proof.state import AccountProof
from keymoot.store.state import State
from tests.agent.http_server import served
from tests.policy.chains.evm.hyperliquid.actions import POLICY as PERPS
from tests.policy.documents import NOW
from tests.proof.world import World, a_record

WORLD = World()
"""Its founding, and who keeps its keys, as every network of these tests proves them."""

NETWORK = WORLD.network
WALLET = WalletId(b"\x08" * 32)
FAR = UnixSeconds(4_000_000_000)

Rule = Callable[[EvmTransaction], str | None]


def secret_of(name: str) -> Secret:
    """Give a private key of tests."""
    return secp256k1.private_key(sha384(name.encode()).digest())


@dataclass
class FakeNetwork:
    """The ledger, the enclave and the gateway of the tests.

    Attributes:
        rule: Gives a reason to refuse a transaction, or None.
        lose: Answers to drop after acting, first to last.
        deaf: Drop what arrives, without acting.
        full: Requests to turn away because too much waits.
        hurried: Looks at answers to turn away because they come too fast.
        stopped: The wallet was paused after the request was bound.
        expired: Requests whose time is over, and whose answers nobody keeps.
        lie: Changes what is sealed and signed: (digest, signature) to another.
    """

    rule: Rule = lambda _: None
    lose: int = 0
    deaf: bool = False
    full: int = 0
    hurried: int = 0
    stopped: bool = False
    wait_polls: int = 0
    node_seed: Secret = field(default_factory=lambda: WORLD.identity(1))
    lie: Callable[[Hash32, Signature65], tuple[Hash32, Signature65]] | None = None
    submit_error: dict[str, Any] | None = None
    status: str | None = None
    expired: set[Hash32] = field(default_factory=set)
    bodies: dict[Hash32, bytes] = field(default_factory=dict)
    answers: dict[Hash32, dict[str, Any]] = field(default_factory=dict)
    polls: dict[Hash32, int] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    signed: list[Hash32] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.wallet_key = secret_of("wallet")
        self.address = secp256k1.address_of_secret(self.wallet_key)
        self.lock = threading.Lock()

    def credential(self, name: str = "yield", agent: str = "agent") -> Credential:
        """Grant a credential."""
        return Credential(
            name=name,
            network=NETWORK,
            urls=(self.url,),
            wallet=WALLET,
            address=self.address,
            verifying_key=WORLD.verifying_key,
            expires=FAR,
            key=secret_of(agent),
        )

    def rpc(self, method: str, params: list[Any]) -> dict[str, Any]:
        """Answer one call."""
        if method == "eth_sendRawTransactionSync":
            return self.submit(bytes.fromhex(params[0][2:]))
        if method == "keymoot_ask":
            raw = bytes.fromhex(params[0][2:])
            taken = self.submit(raw)
            if "error" in taken:
                return taken
            request, signature = decode_request(raw)
            key = request_key(credential_of(request, signature), request.request_id)
            return {"result": self.share(key)}
        if method == "keymoot_committee":
            return {"result": self.world.committee_bundle().to_json()}
        if method == "keymoot_cells":
            address, slots = Address.from_hex(params[0]), map(Bytes32.from_hex, params[1])
            return {"result": self.bundle(lambda state: prove_cells(state, address, slots))}
        if method == "keymoot_getRequest":
            return {"result": self.told(Hash32.from_hex(params[0]))}
        return {"error": {"code": -32601, "message": f"there is no method {method}"}}

    def bundle(self, prove: Callable[[State], AccountProof]) -> Any:
        """Prove something of the state as it is now."""
        header = self.world.block()
        return ProofBundle(self.world.certify(header), prove(self.world.state)).to_json()

    def told(self, key: Hash32) -> dict[str, Any]:
        """Say what was asked under a name."""
        if key not in self.answers:
            return {"known": False}
        request, _ = decode_request(self.bodies[key])
        asked = keccak256(request.method.encode() + b"\0" + request.payload)
        return {"known": True, "method": request.method, "asked": asked.hex0x}

    def submit(self, raw: bytes) -> dict[str, Any]:
        """Take a request, as the ledger would."""
        self.sent.append(raw)
        if self.submit_error is not None:
            return {"error": self.submit_error}
        if self.full > 0:
            self.full -= 1
            return _refused("POOL_FULL", "too much is waiting")
        request, signature = decode_request(raw)
        sender = credential_of(request, signature)
        if sender != secp256k1.address_of_secret(secret_of("agent")):
            return _refused("NO_SUCH_CREDENTIAL", "this wallet has not granted that credential")
        key = request_key(sender, request.request_id)
        known = self.bodies.setdefault(key, raw)
        if known != raw:
            return _refused("REQUEST_REUSED", "this request id was used before")
        if key not in self.answers:
            self.answers[key] = self.decide(key, request)
        return {"result": {"status": "0x1", "transactionHash": hexes.data(keccak256(raw))}}

    def share(self, key: Hash32) -> dict[str, Any]:
        """Answer for one request."""
        found = self.answers.get(key)
        if found is None:
            return {"status": "waiting"}
        self.polls[key] = self.polls.get(key, 0) + 1
        if key in self.expired:
            return {"status": "expired", "simulated": True, "refusal": None}
        if self.stopped:
            refusal = _refused("NOT_BOUND", "the wallet is paused")["error"]
            return {**found, "status": "bound", "sealed": None, "refusal": refusal}
        if self.polls[key] <= self.wait_polls:
            return {**found, "status": "bound", "sealed": None}
        return found if self.status is None else {**found, "status": self.status}

    def decide(self, key: Hash32, request: Request) -> dict[str, Any]:
        """Sign or refuse, and seal."""
        base = {"requestId": request.request_id.hex0x, "simulated": True, "refusal": None}
        why = "NO_RULE"
        payload = request.payload
        if request.method == ASK_AGAIN:
            payload = decode_request(self.bodies[Hash32(payload[:32])])[0].payload
            why = ""
        if request.method == SIGN_TRANSACTION:
            why = self.rule(decode_unsigned(payload)) or ""
        digest = keccak256(payload)
        if request.method == SIGN_HYPERLIQUID:
            why, digest = self.judge_action(payload)
        if why:
            data = {"reason": why, "requestId": request.request_id.hex0x, "limit": "usdc-day"}
            refusal = {"code": 4100, "message": f"keymoot refused: {why}", "data": data}
            self.record(key, request, refusal)
            return {**base, "status": "refused", "refusal": refusal}
        signature = secp256k1.sign(self.wallet_key, digest)
        self.signed.append(digest)
        if self.lie is not None:
            digest, signature = self.lie(digest, signature)
        sealed = hpke.seal_to(
            request.reply_key,
            rlp.encode([digest, signature]),
            b"keymoot/share/v1" + request.network,
            key,
        )
        seal = ed25519.sign(self.node_seed, keccak256(request.network + key + sealed))
        return {
            **base,
            "status": "released",
            "node": ed25519.public_key(self.node_seed).hex0x,
            "sealed": hexes.data(sealed),
            "signature": hexes.data(seal),
        }

    def judge_action(self, payload: bytes) -> tuple[str, Hash32]:
        """Hold an action against the policy of those tests, with nothing spent."""
        try:
            intent = read_action(payload, self.address)
        except NeverSigned as error:
            return error.refusal.reason, Hash32(bytes(32))
        refusal = decide(PERPS, intent, {}, (), NOW).refusal
        return "" if refusal is None else refusal.reason, intent.digest

    def record(self, key: Hash32, request: Request, refusal: Any) -> None:
        """Write a refusal where the ledger has it."""
        agent = secp256k1.address_of_secret(secret_of("agent"))
        found = replace(
            a_record(request.wallet, 0, canonical(refusal)),
            requester=agent,
            request_id=request.request_id,
        )
        self.world.put_cells(Wallets.ADDRESS, {record_slot(key): found.encode()})


def _refused(reason: str, message: str) -> dict[str, Any]:
    return {"error": {"code": 4100, "message": message, "data": {"reason": reason}}}


def _handler(network: FakeNetwork) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            network.connections += 1

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with network.lock:
                answer = None if network.deaf else self._answer(body)
                lost = network.lose > 0 or network.deaf
                network.lose -= network.lose > 0
            if lost:
                self.close_connection = True
                return
            self._write(200, answer)

        def do_GET(self) -> None:
            key = Hash32.from_hex(self.path.removeprefix("/shares/").partition("?")[0])
            if network.hurried > 0:
                network.hurried -= 1
                self._write(429, {"error": "too many calls: wait a second"})
                return
            with network.lock:
                found = network.share(key)
            self._write(200, found)

        def _answer(self, body: Any) -> Any:
            if isinstance(body, list):
                return [self._answer(each) for each in body]
            head = {"jsonrpc": "2.0", "id": body["id"]}
            try:
                return {**head, **network.rpc(body["method"], body["params"])}
            except Malformed as error:
                return {**head, "error": {"code": -32602, "message": str(error)}}

        def _write(self, status: int, answer: Any) -> None:
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving(network: FakeNetwork) -> Iterator[FakeNetwork]:
    """Serve on a free port of the loopback interface."""
    with served(_handler(network)) as network.url:
        yield network


def stranger() -> Address:
    """Give an address that belongs to nobody here."""
    return Address(b"\x99" * 20)


def a_node() -> Bytes32:
    """Give a key that belongs to none of our nodes."""
    return ed25519.public_key(Secret(b"\x06" * 32))
