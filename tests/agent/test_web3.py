"""web3.py's middleware, and ours for AsyncWeb3, send what the account signs."""

import asyncio
from collections.abc import Iterator

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account, PolicyRefused
from tests.agent.fake_network import FakeNetwork
from tests.agent.target_chain import target_chain

pytest.importorskip("web3", minversion="7")

from web3 import AsyncHTTPProvider, AsyncWeb3, Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.types import Wei

from keymoot.agent.middleware import SignAndSend

TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def target() -> Iterator[tuple[str, list[str]]]:
    """Serve a target chain; gives its address and what was sent to it."""
    with target_chain() as served:
        yield served


def test_web3_sends_through_the_account(account: Account, target: tuple[str, list[str]]) -> None:
    url, sent = target
    w3 = Web3(Web3.HTTPProvider(url))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    w3.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(5), "data": b"\x12"})
    assert [EthAccount.recover_transaction(each) for each in sent] == [account.address]


def test_web3_raises_the_refusal_itself(
    account: Account, network: FakeNetwork, target: tuple[str, list[str]]
) -> None:
    network.rule = lambda _: "NO_RULE"
    url, sent = target
    w3 = Web3(Web3.HTTPProvider(url))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    with pytest.raises(PolicyRefused):
        w3.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(5)})
    assert sent == []


def test_async_web3_sends_through_the_account(
    account: Account, target: tuple[str, list[str]]
) -> None:
    url, sent = target

    async def send() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        w3 = AsyncWeb3(AsyncHTTPProvider(url))
        w3.middleware_onion.inject(SignAndSend.build(account), layer=0)
        ticking = asyncio.create_task(tick())
        await w3.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(5)})
        ticking.cancel()
        await w3.provider.disconnect()
        return ticks

    assert asyncio.run(send()) > 0
    assert [EthAccount.recover_transaction(each) for each in sent] == [account.address]
