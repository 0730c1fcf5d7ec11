"""Many calls at once, on a node that runs: an instance's account sends one after the other."""

from concurrent.futures import ThreadPoolExecutor

from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.owner import new_key
from tests.daemon.test_joined import GENERATE, POLICY, asking
from tests.node.running import Running


def test_many_ask_at_once_and_each_gets_its_own(node: Running) -> None:
    boss = AppAdmin(node.network, new_key())
    boss.network.faucet(boss.address)
    ask = asking(node, boss.create(POLICY))

    def key(number: int) -> str:
        return ask.json("POST", GENERATE, {"key_id": f"{number % 3}", "kind": "raw-256"})["key"]

    def metadata(number: int) -> int:
        return ask("PUT", "/rofl/v1/metadata", {f"{number}": "x"}).status

    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(metadata, number) for number in range(3)]
        found = list(pool.map(key, range(9)))
        assert {one.result() for one in others} == {200}
    assert found[:3] == found[3:6] == found[6:]
    assert len(set(found)) == 3
    assert len(ask.json("GET", "/rofl/v1/metadata")) == 3
