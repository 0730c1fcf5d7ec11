"""A deployment changes what it names, and loosens nothing unless somebody says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.keystore import load
from keymoot.agent.submission import TransactionFailed
from keymoot.base.fixed import Address, AppId, Bytes32
from keymoot.base.units import Seconds
from keymoot.cli.output import EXIT_WARNED
from tests.cli.shell import BY, Shell
from tests.image.folders import FILES, NO_SECRETS, app_folder
from tests.node.in_memory import in_memory


def test_what_an_app_demands_stays_until_somebody_says_otherwise(
    shell: Shell, tmp_path: Path
) -> None:
    app_folder(tmp_path / "app", FILES | {"keymoot.toml": NO_SECRETS})
    shell.become_owner()
    with in_memory(tmp_path / "net") as net:
        shell.environment["KEYMOOT_URL"] = net.network.url
        made = AppId.from_text(shell.json("app", "create", "app", *BY)["app"])
        key = load(tmp_path / "owner.json", "correct horse")
        boss = AppAdmin(net.network, key)
        first = shell.json(
            "app", "deploy", "app", *BY, "--no-raw-keys", "--lifetime", "600", "--vendor", "tdx"
        )
        assert not any(change["looser"] for change in first["changes"])
        # What has no option of its own is as good as what has one.
        strict = replace(
            boss.show(made).policy,
            tcb_parts={"snp": 8},
            chips=(b"chip",),
            endorsers=(Bytes32(b"e" * 32),),
            most_per_maker=2,
        )
        boss.update(made, policy=strict)
        # 1. Other code alone: all the rest stays.
        (tmp_path / "app" / "agent.py").write_text("print('hullo')\n")
        again = shell.json("app", "deploy", "app", *BY)
        assert again["changes"] == []
        now = boss.show(made).policy
        assert now.measurements != strict.measurements
        assert replace(now, measurements=strict.measurements) == strict
        # 2. Tighter is told and done.
        done = shell.run("app", "deploy", "app", *BY, "--lifetime", "300")
        assert done.returncode == 0
        assert "changes lifetime: 600 s → 300 s\n" in done.stderr
        # 3. Looser is told, and not done unless somebody says so.
        for named, told in [
            (["--raw-keys"], "raw keys: refused → given, looser"),
            (["--lifetime", "301"], "lifetime: 300 s → 301 s, looser"),
            (["--vendor", "tdx", "--vendor", "sgx"], "vendors: tdx → sgx, tdx, looser"),
            (["--most-per-maker", "0"], "most per maker: 2 → no limit, looser"),
            (["--most-per-maker", "3"], "most per maker: 2 → 3, looser"),
        ]:
            before = boss.show(made)
            done = shell.run("app", "deploy", "app", *BY, *named)
            assert done.returncode == EXIT_WARNED, named
            assert f"changes {told}" in done.stderr
            assert "say --loosen" in done.stderr
            assert boss.show(made).version == before.version
        assert shell.answer("n\n", "app", "deploy", "app", *BY, "--raw-keys") == EXIT_WARNED
        assert not boss.show(made).policy.raw_keys
        assert shell.answer("y\n", "app", "deploy", "app", *BY, "--raw-keys") == 0
        assert boss.show(made).policy.raw_keys
        (change,) = shell.json("app", "deploy", "app", *BY, "--most-per-maker", "0", "--loosen")[
            "changes"
        ]
        assert (change["what"], change["looser"]) == ("most per maker", True)
        # 4. And who changed it meanwhile is not undone by whoever looked before.
        seen = boss.show(made)
        boss.update(made, policy=replace(seen.policy, lifetime_seconds=Seconds(60)))
        with pytest.raises((NetworkRefused, TransactionFailed)) as stale:
            boss.update(made, policy=seen.policy, seen=seen)
        assert stale.value.reason == "STALE_APP"
        assert boss.show(made).policy.lifetime_seconds == 60


def test_who_is_not_the_admin_is_told_so_before_anything_is_spent(
    shell: Shell, tmp_path: Path
) -> None:
    app_folder(tmp_path / "app", FILES | {"keymoot.toml": NO_SECRETS})
    shell.write("password", "correct horse\n")
    secret = ("--password-file", "password")
    admin = shell.json("key", "new", "owner.json", *secret)["address"]
    other = shell.json("key", "new", "other.json", *secret)["address"]
    with in_memory(tmp_path / "net") as net:
        shell.environment["KEYMOOT_URL"] = net.network.url
        shell.json("app", "create", "app", *BY)
        done = shell.run("app", "deploy", "app", "--owner", "other.json", *secret)
        assert done.returncode == 1
        assert f"its admin is {admin}, and other.json is {other}" in done.stderr
        assert "changes" not in done.stderr
        assert net.network.balance(Address.from_hex(other)) == 0
