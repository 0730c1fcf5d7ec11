"""From a folder to an app of the ledger, and a wallet that is granted to it."""

from pathlib import Path

import pytest

from keymoot.agent.account import Account
from keymoot.agent.app_instance import AppInstance, InstanceKeys, simulated
from keymoot.agent.app_secrets import SecretEnvelope
from keymoot.agent.app_views import AppViews
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.network import Network
from keymoot.base.fixed import AppId, Measurement, WalletId
from keymoot.policy.errors import PolicyRefused
from tests.cli.shell import Shell, tidy
from tests.image.folders import FILES, NO_SECRETS, app_folder
from tests.node.running import Running, pay

pytestmark = pytest.mark.long


class Developer:
    """Somebody with a key, a folder, and a node to speak to."""

    def __init__(self, folder: Path, node: Running, manifest: str) -> None:
        self.node, self.shell = node, Shell(folder, node)
        self.folder = app_folder(folder / "app", FILES | {"keymoot.toml": manifest})
        self.shell.write("password", "correct horse\n")
        secret = ["--password-file", "password"]
        self.owner = ["--owner", "owner.json", *secret]
        self.shell.json("key", "new", "owner.json", *secret)

    def app(self, command: str, *more: str, status: int = 0) -> dict:
        return self.shell.json("app", command, "app", *more, status=status)

    def instance(self, app: str, measurement: str) -> AppInstance:
        """Start an instance, as the daemon does, on a SIMULATED machine."""
        network, keys = Network(self.node.url), InstanceKeys.new()
        network.faucet(keys.address)
        measured = simulated(Measurement.from_hex(measurement))
        return AppInstance(network, AppId.from_text(app), keys, measured)


def test_an_app_is_created_deployed_compared_and_changed(tmp_path: Path, node: Running) -> None:
    developer = Developer(tmp_path, node, NO_SECRETS)
    shell, owner = developer.shell, developer.owner
    # Nothing is admitted by creating it; and it is created once.
    assert "app create" in shell.run("app", "show", "app").stderr
    made = developer.app("create", *owner)
    assert "already" in shell.run("app", "create", "app", *owner).stderr
    shown = developer.app("show")
    assert (shown["app"], shown["admin"]) == (made["app"], made["admin"])
    assert (shown["measurements"], shown["vendors"]) == ([], [])
    assert shown["metadata"]["name"] == "yield"
    differ = developer.app("verify", status=1)["differences"]
    assert differ == ["the app does not admit what this folder gives"]
    # What the folder measures is admitted, and anybody who has the source finds that out.
    measurement = developer.app("build")["measurement"]
    deployed = developer.app("deploy", *owner, "--lifetime", "600", "--no-raw-keys")
    assert deployed["admitted"] == [measurement]
    shown = shell.json("app", "show", "--app", made["app"])
    assert shown["measurements"] == [measurement]
    assert shown["vendors"] == ["simulated"]
    assert (shown["lifetimeSeconds"], shown["rawKeys"]) == (600, False)
    assert shell.json("app", "verify", "app", "--app", made["app"])["same"]
    assert not developer.app("deploy", *owner, "--no-raw-keys")["changed"]
    assert "SIMULATED" in shell.run("app", "show", "app").stderr
    # Other code, beside the first, and then in its place.
    (developer.folder / "agent.py").write_text("print('hullo')\n")
    assert len(developer.app("verify", status=1)["differences"]) == 2
    both = developer.app("deploy", *owner, "--keep")
    assert measurement in both["admitted"]
    assert both["out"] == []
    assert developer.app("verify", status=1)["differences"] == [
        f"the app admits other code: {measurement}"
    ]
    assert developer.app("deploy", *owner)["out"] == [measurement]
    assert developer.app("verify")["same"]


def test_a_wallet_is_granted_to_the_code_and_not_to_a_file(tmp_path: Path, node: Running) -> None:
    developer = Developer(tmp_path, node, NO_SECRETS)
    shell, owner = developer.shell, developer.owner
    wallet = shell.json("wallet", "create", "yield", *owner)["wallet"]
    shell.json("wallet", "policy", "yield", shell.write("rules.json", tidy(100)), *owner, "--yes")
    app = developer.app("create", *owner)["app"]
    measurement = developer.app("deploy", *owner)["admitted"][0]
    granted = shell.json("wallet", "grant", "yield", "--app", app, *owner)
    assert granted["app"] == app
    instance = developer.instance(app, measurement)
    instance.register()
    account = Account(instance.credential("yield", WalletId.from_hex(wallet)))
    assert account.sign_transaction(pay(0)).raw_transaction
    # An upgrade puts the instance out, before anything else happens to it.
    (developer.folder / "agent.py").write_text("print('hullo')\n")
    developer.app("deploy", *owner)
    with pytest.raises(PolicyRefused) as refused:
        account.sign_transaction(pay(1))
    assert refused.value.reason == "MEASUREMENT_EVICTED"
    with pytest.raises(NetworkRefused) as never:
        developer.instance(app, measurement).register()
    assert "runs other code than this app admits" in str(never.value)
    # And what was granted is taken back.
    assert shell.json("wallet", "revoke", "yield", app, *owner)["revoked"] == app


def test_secrets_are_sealed_before_they_leave(tmp_path: Path, node: Running) -> None:
    developer = Developer(tmp_path, node, FILES["keymoot.toml"])
    shell, owner, app = developer.shell, developer.owner, AppId.from_text
    made = app(developer.app("create", *owner)["app"])
    views = AppViews(Network(node.url))
    told = shell.run("app", "deploy", "app", *owner)
    assert "no value for OPENAI_API_KEY" in told.stderr
    shell.write("given.env", "# of mine\n\nOPENAI_API_KEY=sk-a=b \n")
    assert "chmod 600" in shell.run("app", "deploy", "app", *owner, "--secrets", "given.env").stderr
    (tmp_path / "given.env").chmod(0o600)
    deployed = developer.app("deploy", *owner, "--secrets", "given.env")
    assert deployed["secrets"] == ["OPENAI_API_KEY"]
    envelope = views.show(made).secrets["OPENAI_API_KEY"]
    assert b"sk-a" not in envelope
    assert SecretEnvelope.decode(envelope).encode() == envelope
    # What is not given again stays.
    assert not developer.app("deploy", *owner)["changed"]
    assert developer.app("show")["secrets"] == ["OPENAI_API_KEY"]
    # Given again, it is sealed anew.
    developer.app("deploy", *owner, "--secrets", "given.env")
    assert views.show(made).secrets["OPENAI_API_KEY"] != envelope
    for text, why in [
        ("OTHER=1", "names no secret OTHER"),
        ("A=1\nA=2", "given.env:2"),
        ("just words", "given.env:1"),
        ("OPENAI_API_KEY =1", "given.env:1"),
        ("\udcff", "not UTF-8"),
    ]:
        (tmp_path / "given.env").write_bytes(text.encode(errors="surrogateescape"))
        done = shell.run("app", "deploy", "app", *owner, "--secrets", "given.env")
        assert done.returncode == 1
        assert why in done.stderr
    assert "cannot be read" in shell.run("app", "deploy", "app", *owner, "--secrets", "no").stderr


def test_mistakes(tmp_path: Path, node: Running) -> None:
    developer = Developer(tmp_path, node, NO_SECRETS)
    shell, owner = developer.shell, developer.owner
    for told, arguments in [
        ("one of both", ["wallet", "grant", "yield", *owner]),
        ("one of both", ["wallet", "grant", "yield", *owner, "--out", "x", "--app", "rofl1"]),
        ("rofl1", ["wallet", "grant", "yield", *owner, "--app", "rofl1qqqq"]),
        ("rofl1", ["app", "show", "--app", "yield"]),
        ("`keymoot app create` makes it one", ["app", "deploy", "app", *owner]),
        ("vendors are", ["app", "deploy", "app", *owner, "--vendor", "acme"]),
        ("60 to 604800 s", ["app", "deploy", "app", *owner, "--lifetime", "59"]),
        ("one thing at a time", ["app", "verify", "app", "--bundle", "x.bundle", "--app", "r"]),
    ]:
        if "--vendor" in arguments:
            developer.app("create", *owner)
        done = shell.run(*arguments)
        assert done.returncode == 1, arguments
        assert told in done.stderr
    shown = developer.app("show")
    assert (shown["version"], shown["measurements"]) == (1, [])
    (developer.folder / "keymoot.deployments.json").write_text('{"a": 1}')
    done = shell.run("app", "show", "app")
    assert "is damaged" in done.stderr
