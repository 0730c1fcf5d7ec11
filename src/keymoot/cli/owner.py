"""`keymoot wallet`, the owner's half: rule a wallet, and take everything back."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keymoot.cli import settings
from keymoot.cli.options import ActingOwner, Positive
from keymoot.cli.output import confirm, fail, fields, note, result, tokens

if TYPE_CHECKING:
    from keymoot.agent.owner import Owner as Acting
    from keymoot.base.fixed import WalletId
    from keymoot.base.units import UnixSeconds

_LENGTHS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def policy(
    name: str, file: Path, *, by: ActingOwner, yes: bool = False, json: bool = False
) -> None:
    """Replace a wallet's policy; shows what changes, the new version and its hash.

    Warns of what an attacker would look for in it, and asks before it goes on. Exit status 4
    means that there were warnings and nobody said yes: nothing was changed.

    Args:
        name: The wallet's name.
        file: The new policy document.
        yes: Set it whatever the warnings say, and ask nothing.
        json: Print the result as JSON.
    """
    import difflib
    import json as json_module

    from keymoot.cli.policy import read_policy
    from keymoot.policy.lint.warnings import warnings_of

    wanted = read_policy(file)
    warnings = warnings_of(wanted)
    for warning in warnings:
        note(f"warning: {warning.line}")
    if warnings:
        confirm("Set this policy all the same?", yes=yes)
    acting = by.open()
    wallet = _owned(acting, name)
    before, version = acting.policy(wallet), acting.show(wallet).policy_version
    old = json_module.dumps(json_module.loads(before or b"{}"), indent=1, sort_keys=True)
    new = json_module.dumps(json_module.loads(wanted.source), indent=1, sort_keys=True)
    difference = list(
        difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"version {version}", "new", lineterm="", n=1
        )
    )
    done = acting.set_policy(wallet, wanted.source, version)
    shown = {"version": version + 1, "hash": wanted.hash.hex0x, "height": done.height}
    told = [warning.to_json() for warning in warnings]
    result(
        shown | {"difference": difference, "warnings": told},
        [*difference, *fields(shown)],
        as_json=json,
    )


def grant(
    name: str,
    *,
    by: ActingOwner,
    out: Path | None = None,
    app: str | None = None,
    expires: str = "7d",
    json: bool = False,
) -> None:
    """Let an agent ask: whoever has a file, or every live instance of an app.

    Args:
        name: The wallet's name.
        out: Where to write a credential, with mode 0600: with it one can ask, and nothing else.
        app: An app, rofl1…, instead: its instances ask with keys that stand in no file.
        expires: How long it lasts: 90s, 30m, 12h, 7d.
        json: Print the result as JSON.
    """
    from keymoot.base.units import UnixSeconds

    lifetime = _seconds(expires)
    until = UnixSeconds(int(time.time()) + lifetime)
    if out is not None and app is None:
        shown = _grant_file(name, by, out, until)
    elif app is not None and out is None:
        shown = _grant_app(name, by, app, until)
    else:
        fail("grant it to one of both: --out FILE for a credential, or --app rofl1… for an app")
    shown["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
    result(shown, fields(shown), as_json=json)
    if out is not None:
        note(f"for the agent: export KEYMOOT_CREDENTIAL={out}")


def _grant_file(name: str, by: ActingOwner, out: Path, until: "UnixSeconds") -> dict[str, str]:
    from keymoot.agent.errors import CredentialUnusable
    from keymoot.agent.new_file import check_new

    # The ledger would know a credential that nobody has.
    check_new(out)
    acting = by.open()
    credential = acting.grant(_owned(acting, name), name, until)
    try:
        credential.save(out)
    except CredentialUnusable as error:
        fail(
            f"{error}. The ledger has granted it all the same, and nobody has it: "
            f"`keymoot wallet revoke {name} {credential.requester.hex0x}`, and grant another"
        )
    return {"credential": credential.requester.hex0x, "file": str(out)}


def _grant_app(name: str, by: ActingOwner, app: str, until: "UnixSeconds") -> dict[str, str]:
    from keymoot.base.fixed import AppId

    granted = AppId.from_text(app)
    acting = by.open()
    acting.grant_app(_owned(acting, name), granted, until)
    return {"app": granted.text}


def revoke(name: str, credential: str, *, by: ActingOwner, json: bool = False) -> None:
    """Take a credential back, or what an app was granted; at once.

    Args:
        name: The wallet's name.
        credential: Its address, or its file; or the app's id, rofl1….
        json: Print the result as JSON.
    """
    from keymoot.agent.credential import Credential
    from keymoot.base.fixed import Address, AppId

    holder: Address | AppId
    if credential.startswith("0x"):
        holder = Address.from_hex(credential)
    elif credential.startswith("rofl1"):
        holder = AppId.from_text(credential)
    else:
        holder = Credential.load(Path(credential)).requester
    acting = by.open()
    wallet = _owned(acting, name)
    if isinstance(holder, AppId):
        done = acting.revoke_app(wallet, holder)
    else:
        done = acting.revoke(wallet, holder)
    shown = {"revoked": holder.text, "height": done.height, "signed": _signed(acting, wallet)}
    result(shown, _with_signed(shown), as_json=json)


def pause(name: str, *, by: ActingOwner, json: bool = False) -> None:
    """Stop every signature of a wallet but your own withdrawals.

    Args:
        name: The wallet's name.
        json: Print the result as JSON.
    """
    acting = by.open()
    wallet = _owned(acting, name)
    done = acting.pause(wallet)
    shown = {"paused": True, "height": done.height, "signed": _signed(acting, wallet)}
    result(shown, _with_signed(shown), as_json=json)


def resume(name: str, *, by: ActingOwner, json: bool = False) -> None:
    """End a pause.

    Args:
        name: The wallet's name.
        json: Print the result as JSON.
    """
    acting = by.open()
    done = acting.resume(_owned(acting, name))
    shown = {"paused": False, "height": done.height}
    result(shown, fields(shown), as_json=json)


def fund(name: str, amount: Positive, *, by: ActingOwner, json: bool = False) -> None:
    """Prepay more requests, from your account; a development network gives it what it lacks.

    Args:
        name: The wallet's name.
        amount: Ledger tokens to add to the quota.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei

    acting = by.open()
    wallet = _owned(acting, name)
    wei = Wei(amount * 10**18)
    settings.provide(acting, wei)
    done = acting.fund(wallet, wei)
    shown = {"quota": tokens(acting.show(wallet).quota), "height": done.height}
    result(shown, fields(shown), as_json=json)


def withdraw(
    name: str, tx: Path, *, by: ActingOwner, max_fee: Positive | None = None, json: bool = False
) -> None:
    """Sign a transaction to the recovery address; no policy is asked, a pause is no hindrance.

    Prints the raw signed transaction: send it to its chain. It must be a plain transfer, ERC-20
    transfer, or ERC-4626 withdraw or redeem, to the recovery address; on Solana a system
    transfer to it, or a transferChecked to its associated token account.

    Args:
        name: The wallet's name.
        tx: The transaction: web3.py's dictionary in JSON, or a message of Solana in base64.
        max_fee: What its fee may be at most, in wei or lamports. Usually 0.05 of an EVM chain's
            token, or 0.01 SOL: state more where gas is dear.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei
    from keymoot.cli.chains import commands_of
    from keymoot.policy.chains.registry import chain_of
    from keymoot.policy.intent import NeverSigned, read_intent
    from keymoot.policy.recovery import check_withdrawal

    if not tx.exists():
        fail(f"{tx} cannot be read: there is no such file")
    acting = by.open()
    wallet = _owned(acting, name)
    record = acting.show(wallet)
    account, stated = record.account, None if max_fee is None else Wei(max_fee)
    commands, method = commands_of(account), chain_of(account).transactions.method
    try:
        intent = read_intent(method, commands.read(tx, account)[0], account)
    except NeverSigned as error:
        fail(error.refusal.message)
    note(f"fee: at most {commands.fee(intent.max_fee)}")
    refusal = check_withdrawal(intent, record.recovery, stated)
    if refusal is not None:
        fail(refusal.message)
    text = commands.withdraw(acting, wallet, tx, stated)
    result({"raw": text, "maxFee": str(intent.max_fee)}, [text], as_json=json)


COMMANDS = (policy, grant, revoke, pause, resume, fund, withdraw)
"""The owner's half of `keymoot wallet`."""


def _owned(acting: "Acting", name: str) -> "WalletId":
    from keymoot.base.fixed import WalletId
    from keymoot.contracts.builtin.wallets.errors import NoSuchWallet

    if name.startswith("0x"):
        return WalletId.from_hex(name)
    wallet = acting.wallet_of(name)
    try:
        acting.show(wallet)
    except NoSuchWallet:
        fail(
            f'{acting.address.hex0x} has no wallet "{name}" on this network: '
            "check the name, --owner and --url"
        )
    return wallet


def _signed(acting: "Acting", wallet: "WalletId") -> list[str]:
    """List chain and nonce of everything that was signed: it may still be mined.

    On Solana a transaction ends with its blockhash, after a minute or two; texts never end.
    """
    names: set[str] = set()
    start, length = 0, acting.show(wallet).log_length
    while start < length:
        page = acting.log(wallet, start)
        if not page:
            break
        for entry in page:
            decoded = entry.get("decoded") if isinstance(entry, dict) else None
            if isinstance(decoded, dict) and "nonce" in decoded:
                names.add(f"{decoded['chain']} nonce {decoded['nonce']}")
        start += len(page)
    return sorted(names)


def _with_signed(shown: dict[str, Any]) -> list[str]:
    signed = shown["signed"]
    lines = fields({name: value for name, value in shown.items() if name != "signed"})
    if signed:
        lines.append("signed before, and perhaps not mined yet (a withdrawal of the same nonce,")
        lines.append("with a higher fee, replaces one):")
        lines += [f"  {line}" for line in signed[-20:]]
    return lines


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if match is None:
        fail("--expires is written as 90s, 30m, 12h or 7d")
    return int(match[1]) * _LENGTHS[match[2]]
