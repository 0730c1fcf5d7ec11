"""What a requester learns whose request is refused while it waits: at once, as any refusal."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
from eth_abi.abi import decode

from keymoot.agent import Account, PolicyRefused, SolanaAccount
from keymoot.agent.credential import Credential
from keymoot.base import hexes
from keymoot.base.fixed import Bytes32, Hash32, SolanaAddress, WalletId
from keymoot.base.request import SIGN_SOLANA_TRANSACTION, decode_request
from keymoot.base.strict_json import canonical
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto.transactions import credential_of, request_key
from keymoot.moot import commitments
from keymoot.node.lineup import Lineup
from keymoot.node.shares import ShareService
from tests.enclave.parliament import Parliament
from tests.enclave.test_bindings import emptied
from tests.node.running import pay
from tests.node.solana import RECOVERY, payment, policy
from tests.runtime.people import AGENT, OWNER, Play


class Gateway:
    """The transport of an account, straight into a parliament.

    `meanwhile` happens while the requester waits for the first time.
    """

    def __init__(self, parliament: Parliament, meanwhile: Any) -> None:
        self.parliament = parliament
        self.meanwhile = meanwhile
        seat = SimpleNamespace(
            identity=SimpleNamespace(identity_key=Bytes32(bytes(32)), simulated=True)
        )
        moot: Any = SimpleNamespace(seats=[seat], lineup=Lineup.of(parliament.assembly, Height(0)))
        self.service = ShareService(parliament.ledger, moot, parliament.keys, parliament.store)
        self.told: list[str] = []

    def call(self, method: str, parameters: list[Any], _: float) -> Any:
        assert method == "keymoot_ask"
        raw = hexes.parse_data(parameters[0], "raw", 10**5)
        assert self.parliament.send(raw).status == 1
        request, signature = decode_request(raw)
        return self._answer(request_key(credential_of(request, signature), request.request_id))

    def get(self, path: str, _: float) -> Any:
        self.meanwhile()
        return self._answer(Hash32.from_hex(path.split("/")[2][:66]))

    def _answer(self, key: Hash32) -> Any:
        answer = asyncio.run(self.service.release(key, 0.0))
        self.told.append(str(answer["status"]))
        return answer


def connected(kind: Any, parliament: Parliament, play: Play, meanwhile: Any) -> tuple[Any, Gateway]:
    credential = Credential(
        name="yield",
        network=parliament.genesis.network,
        url="http://127.0.0.1:1",
        wallet=play.wallet,
        address=play.account,
        nodes=tuple(one.identity.identity_key for one in parliament.delegates.values()),
        expires=UnixSeconds(4_000_000_000),
        key=AGENT.key,
    )
    account, gateway = kind(credential), Gateway(parliament, meanwhile)
    account._transport = account._wishes._transport = gateway
    return account, gateway


def refill(parliament: Parliament) -> None:
    parliament.mute = False
    for one in parliament.delegates.values():
        one.room.look()
    parliament.settle()


def test_an_account_is_told_as_soon_as_the_policy_is_another(parliament: Parliament) -> None:
    play = parliament.play()
    emptied(parliament, play)

    def meanwhile() -> None:
        assert play.rule({"version": "1", "chain": "eip155:8453", "rules": []}).status == 1
        refill(parliament)

    account, gateway = connected(Account, parliament, play, meanwhile)
    start = time.monotonic()
    with pytest.raises(PolicyRefused, match="ask with a new id") as refused:
        account.sign_transaction(pay(3))
    assert refused.value.reason == "POLICY_CHANGED"
    assert refused.value.data["policyVersion"] == 2
    assert gateway.told == ["waiting", "refused"]
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("method", "arguments", "reason"),
    [("pause", (), "PAUSED"), ("revoke", (AGENT.address,), "CREDENTIAL_REVOKED")],
)
def test_so_is_an_account_on_solana(
    parliament: Parliament,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    arguments: tuple[Any, ...],
    reason: str,
) -> None:
    play = parliament.play()
    made = play.send(OWNER, "createSolana", b"f" * 32, Bytes32(RECOVERY), value=10**20)
    wallet, address = decode(["bytes32", "bytes32"], made.output)
    play.wallet, play.account = WalletId(wallet), SolanaAddress(address)  # type: ignore[assignment]
    assert play.send(OWNER, "setPolicy", play.wallet, canonical(policy()), 0).status == 1
    assert play.grant().status == 1
    monkeypatch.setattr(commitments, "MIN_LEFT", 0)
    parliament.mute = True
    while parliament.assembly.commitments.choose() is not None:
        raw, _ = parliament.request(
            play, bytes(payment(SolanaAddress(address), 1)), SIGN_SOLANA_TRANSACTION
        )
        assert parliament.send(raw).status == 1

    def meanwhile() -> None:
        assert play.send(OWNER, method, play.wallet, *arguments).status == 1
        monkeypatch.undo()
        refill(parliament)

    account, gateway = connected(SolanaAccount, parliament, play, meanwhile)
    with pytest.raises(PolicyRefused) as refused:
        account.sign_transaction(payment(account, 5))
    assert refused.value.reason == reason
    assert gateway.told == ["waiting", "refused"]
