"""An app demands a mix of makers from the command line, and who breaks it is not let in."""

from pathlib import Path

import pytest

from keymoot.agent.app_instance import AppInstance, InstanceKeys, simulated
from keymoot.agent.errors import NetworkRefused
from keymoot.base.fixed import AppId, Measurement
from tests.cli.shell import BY, Shell
from tests.image.folders import FILES, NO_SECRETS, app_folder
from tests.node.in_memory import in_memory


def test_a_mix_of_makers_is_demanded_kept_and_taken_back(shell: Shell, tmp_path: Path) -> None:
    app_folder(tmp_path / "app", FILES | {"keymoot.toml": NO_SECRETS})
    shell.become_owner()
    with in_memory(tmp_path / "net") as net:
        shell.environment["KEYMOOT_URL"] = net.network.url
        made = AppId.from_text(shell.json("app", "create", "app", *BY)["app"])
        deployed = shell.json("app", "deploy", "app", *BY, "--most-per-maker", "1")
        code = Measurement.from_hex(deployed["admitted"][0])

        def register() -> None:
            keys = InstanceKeys.new()
            net.network.faucet(keys.address)
            AppInstance(net.network, made, keys, simulated(code)).register()

        def most() -> int:
            return shell.json("app", "show", "app")["mostPerMaker"]

        register()
        with pytest.raises(NetworkRefused, match="vouches for 2 seats"):
            register()
        # who deploys without a word of it changes nothing of it
        shell.json("app", "deploy", "app", *BY, "--lifetime", "600")
        assert most() == 1
        shell.json("app", "deploy", "app", *BY, "--most-per-maker", "0", "--loosen")
        assert most() == 0
        register()
