"""The async twin: the loop goes on while a signature comes, and each call is the account's own."""

import asyncio
from threading import Event

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_defunct

from keymoot.agent import AsyncAccount, PolicyRefused
from keymoot.base.request import SIGN_MESSAGE
from tests.daemon.instance import WALLET, MemoryInstance, Signer
from tests.daemon.test_own_api import WISH
from tests.daemon.test_socket_account import MAIL


@pytest.fixture
def instance() -> MemoryInstance:
    return MemoryInstance()


@pytest.fixture
def account(instance: MemoryInstance) -> AsyncAccount:
    return AsyncAccount(Signer(instance))


async def test_it_signs_as_its_twin(account: AsyncAccount, instance: MemoryInstance) -> None:
    assert account.address == WALLET.address
    signed = await account.sign_transaction(WISH, idempotency_key="a")
    assert EthAccount.recover_transaction(signed.raw_transaction) == WALLET.address
    text = encode_defunct(text="log me in")
    assert await account.sign_message(text, idempotency_key="b") == WALLET.sign_message(text)
    typed = await account.sign_typed_data(MAIL, idempotency_key="c")
    assert typed == WALLET.sign_typed_data(full_message=MAIL)
    same = await account.sign_payload(SIGN_MESSAGE, b"log me in", idempotency_key="d")
    assert same == WALLET.sign_message(text)
    assert instance.asked == [("sign", key) for key in "abcd"]


async def test_it_raises_what_its_twin_does(account: AsyncAccount) -> None:
    with pytest.raises(PolicyRefused, match="too much"):
        await account.sign_transaction({**WISH, "value": 101})


async def test_the_loop_goes_on_while_a_signature_comes(
    account: AsyncAccount, instance: MemoryInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, sign = Event(), instance.signature

    def late(digest: bytes) -> bytes:
        assert go.wait(60)
        return sign(digest)

    monkeypatch.setattr(instance, "signature", late)
    wishes = [asyncio.create_task(account.sign_transaction({**WISH, "nonce": n})) for n in range(3)]
    await asyncio.sleep(0)
    assert not any(wish.done() for wish in wishes)
    go.set()
    names = {bytes((await wish).hash) for wish in wishes}
    assert len(names) == 3
