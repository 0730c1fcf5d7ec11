"""`keymoot wallet`: make wallets, rule them, and take everything back."""

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli import book, settings
from keymoot.cli.output import fail, fields, note, result, tokens, warn_simulated

if TYPE_CHECKING:
    from keymoot.agent.owner import Owner, Views
    from keymoot.base.fixed import WalletId

app = App(name="wallet", help="Wallets: their owner, policy, credentials and log.")

DEFAULT_QUOTA = 5
"""Ledger tokens that a new wallet is prepaid with: some 50,000 requests."""

_LENGTHS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@app.command
def create(
    name: str,
    *,
    owner: Path,
    recovery: str | None = None,
    quota: int = DEFAULT_QUOTA,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Make a wallet. It has no policy yet: everything is refused.

    Args:
        name: Your name for it; the wallet's id follows from your key and this name.
        owner: Your keystore.
        recovery: The one address to which you can always withdraw, for ever; default your own.
        quota: Ledger tokens to prepay requests with. A development network gives them away.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei
    from keymoot.policy.names import checksummed, parse_address

    acting = settings.owner(url, owner, password_file)
    exit_address = acting.address if recovery is None else parse_address(recovery, "--recovery")
    identity = acting.network.identity()
    wei = Wei(quota * 10**18)
    if acting.network.balance(acting.address) < wei + 10**18:
        note("asking the development network's faucet for ledger tokens")
        acting.network.faucet(acting.address)
    made = acting.create(name, exit_address, wei)
    book.add(
        book.Entry(
            name,
            identity.network.hex0x,
            made.wallet.hex0x,
            made.account.hex0x,
            acting.address.hex0x,
        )
    )
    shown = {
        "name": name,
        "address": checksummed(made.account),
        "wallet": made.wallet.hex0x,
        "owner": checksummed(made.owner),
        "recovery": checksummed(made.recovery),
    }
    warn_simulated(simulated=identity.simulated)
    result(shown, fields(shown), as_json=json)
    note(f"next: keymoot wallet policy {name} rules.json --owner {owner}")


@app.command(name="list")
def list_(*, json: bool = False) -> None:
    """List the wallets that this machine knows.

    Args:
        json: Print the result as JSON.
    """
    from dataclasses import asdict

    known = book.entries()
    lines = [f"{one.name:<16} {one.account}  on network {one.network[:14]}…" for one in known]
    shown = lines or ["no wallets yet: keymoot wallet create NAME --owner owner.json"]
    result([asdict(one) for one in known], shown, as_json=json)


@app.command
def show(name: str, *, url: str | None = None, json: bool = False) -> None:
    """Show a wallet: owner, policy, what is spent, what is left.

    Args:
        name: The wallet's name here, or its id.
        url: The Keymoot RPC.
        json: Print the result as JSON.
    """
    views, wallet = _view(name, url)
    found = views.show(wallet)
    shown: dict[str, Any] = {
        "address": found.account.hex0x,
        "wallet": found.wallet.hex0x,
        "owner": found.owner.hex0x,
        "recovery": found.recovery.hex0x,
        "paused": found.paused,
        "quota": f"{tokens(found.quota)} ledger tokens",
        "policyVersion": found.policy_version,
        "policyHash": found.policy_hash.hex0x,
        "logLength": found.log_length,
    }
    usage = views.usage(wallet)
    lines = fields(shown)
    for one in usage if isinstance(usage, list) else []:
        if isinstance(one, dict):
            window = "a transaction" if one["window"] is None else f"in {one['window']} s"
            lines.append(f"limit {one['limit']}: {one['used']} of {one['max']} {window}")
    warn_simulated(simulated=views.network.identity().simulated)
    result(shown | {"usage": usage}, lines, as_json=json)


@app.command
def log(name: str, *, last: int = 20, url: str | None = None, json: bool = False) -> None:
    """Show a wallet's log: every request and every refusal, newest last.

    Args:
        name: The wallet's name here, or its id.
        last: How many entries.
        url: The Keymoot RPC.
        json: Print the entries as JSON.
    """
    views, wallet = _view(name, url)
    length = views.show(wallet).log_length
    start, entries = max(0, length - last), []
    while start < length:
        page = views.log(wallet, start)
        if not page:
            break
        entries += page
        start += len(page)
    result(entries, [_log_line(one) for one in entries] or ["the log is empty"], as_json=json)


@app.command
def policy(
    name: str,
    file: Path | None = None,
    *,
    owner: Path | None = None,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Show a wallet's policy; or, with a file and the owner's key, replace it.

    Shows what changes, the new version and its hash.

    Args:
        name: The wallet's name.
        file: The new policy document.
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    import difflib
    import json as json_module

    if file is None:
        views, wallet = _view(name, url)
        document = views.policy(wallet)
        if not document:
            fail(f"{name} has no policy yet, so everything is refused")
        print(json_module.dumps(json_module.loads(document), indent=2))
        return
    if owner is None:
        fail("replacing a policy needs the owner's key: add --owner owner.json")
    from keymoot.cli.policy import read_policy
    from keymoot.policy.lint import warnings_of

    wanted = read_policy(file)
    for warning in warnings_of(wanted):
        note(f"warning: {warning}")
    acting = settings.owner(url, owner, password_file)
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
    result(shown | {"difference": difference}, [*difference, *fields(shown)], as_json=json)


@app.command
def grant(
    name: str,
    *,
    owner: Path,
    out: Path,
    expires: str = "7d",
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Grant an agent a credential: a file with which it can ask, and nothing else.

    Args:
        name: The wallet's name.
        owner: Your keystore.
        out: Where to write the credential, with mode 0600.
        expires: How long it lasts: 90s, 30m, 12h, 7d.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    from keymoot.base.units import UnixSeconds

    if out.exists():
        fail(f"{out} exists: choose another name, credentials are never overwritten")
    until = UnixSeconds(int(time.time()) + _seconds(expires))
    acting = settings.owner(url, owner, password_file)
    credential = acting.grant(_owned(acting, name), name, until)
    credential.save(out)
    shown = {
        "credential": credential.requester.hex0x,
        "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)),
        "file": str(out),
    }
    result(shown, fields(shown), as_json=json)
    note(f"for the agent: export KEYMOOT_CREDENTIAL={out}")


@app.command
def revoke(
    name: str,
    credential: str,
    *,
    owner: Path,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Take a credential back, at once.

    Args:
        name: The wallet's name.
        credential: Its address, or its file.
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    from keymoot.agent.credential import Credential
    from keymoot.base.fixed import Address

    if credential.startswith("0x"):
        holder = Address.from_hex(credential)
    else:
        holder = Credential.load(Path(credential)).requester
    acting = settings.owner(url, owner, password_file)
    wallet = _owned(acting, name)
    done = acting.revoke(wallet, holder)
    shown = {"revoked": holder.hex0x, "height": done.height, "signed": _signed(acting, wallet)}
    result(shown, _with_signed(shown), as_json=json)


@app.command
def pause(
    name: str,
    *,
    owner: Path,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Stop every signature of a wallet but your own withdrawals.

    Args:
        name: The wallet's name.
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    acting = settings.owner(url, owner, password_file)
    wallet = _owned(acting, name)
    done = acting.pause(wallet)
    shown = {"paused": True, "height": done.height, "signed": _signed(acting, wallet)}
    result(shown, _with_signed(shown), as_json=json)


@app.command
def resume(
    name: str,
    *,
    owner: Path,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """End a pause.

    Args:
        name: The wallet's name.
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    acting = settings.owner(url, owner, password_file)
    done = acting.resume(_owned(acting, name))
    shown = {"paused": False, "height": done.height}
    result(shown, fields(shown), as_json=json)


@app.command
def fund(
    name: str,
    amount: int,
    *,
    owner: Path,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Prepay more requests.

    Args:
        name: The wallet's name.
        amount: Ledger tokens to add to the quota.
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei

    acting = settings.owner(url, owner, password_file)
    wallet = _owned(acting, name)
    done = acting.fund(wallet, Wei(amount * 10**18))
    shown = {"quota": tokens(acting.show(wallet).quota), "height": done.height}
    result(shown, fields(shown), as_json=json)


@app.command
def withdraw(
    name: str,
    tx: Path,
    *,
    owner: Path,
    url: str | None = None,
    password_file: Path | None = None,
    json: bool = False,
) -> None:
    """Sign a transaction to the recovery address; no policy is asked, a pause is no hindrance.

    Prints the raw signed transaction: send it to its chain. It must be a plain transfer, ERC-20
    transfer, or ERC-4626 withdraw or redeem, to the recovery address.

    Args:
        name: The wallet's name.
        tx: The transaction as web3.py's dictionary, in JSON.
        owner: Your keystore.
        url: The Keymoot RPC.
        password_file: File with the keystore's password; otherwise you are asked.
        json: Print the result as JSON.
    """
    from keymoot.cli.policy import read_transaction

    acting = settings.owner(url, owner, password_file)
    wallet = _owned(acting, name)
    account = acting.show(wallet).account
    raw = acting.withdraw(wallet, read_transaction(tx, account.hex0x))
    result({"raw": "0x" + raw.hex()}, ["0x" + raw.hex()], as_json=json)


@app.command
def sign(name: str, tx: Path, *, url: str | None = None, json: bool = False) -> None:
    """Ask for a signature as the agent does, with the credential in KEYMOOT_CREDENTIAL.

    Prints the raw signed transaction. Exit status 3 means refused by policy.

    Args:
        name: The wallet's name.
        tx: The transaction as web3.py's dictionary, in JSON.
        url: The Keymoot RPC; default is the credential's.
        json: Print the result as JSON; a refusal too.
    """
    import json as json_module

    from keymoot.agent.account import Account
    from keymoot.cli.output import EXIT_REFUSED, Failed
    from keymoot.policy.errors import PolicyRefused

    if not os.environ.get(settings.CREDENTIAL_VARIABLE):
        fail(f"{settings.CREDENTIAL_VARIABLE} must name the credential file")
    account = Account.connect(name, url=url) if url else Account.connect(name)
    try:
        fields_ = json_module.loads(tx.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{tx} is no transaction file: {error}")
    try:
        signed = account.sign_transaction(fields_)
    except PolicyRefused as error:
        result(error.to_json(), [], as_json=json)
        note(f"refused: {error}")
        raise Failed(EXIT_REFUSED) from error
    raw = signed.raw_transaction.to_0x_hex()
    result({"raw": raw, "hash": signed.hash.to_0x_hex()}, [raw], as_json=json)


def _view(name: str, url: str | None) -> tuple["Views", "WalletId"]:
    from keymoot.agent.owner import Views
    from keymoot.base.fixed import WalletId

    network = settings.network(url)
    entry = book.find(name, network.identity().network.hex0x)
    return Views(network), WalletId.from_hex(entry.wallet)


def _owned(acting: "Owner", name: str) -> "WalletId":
    from keymoot.base.fixed import WalletId

    return WalletId.from_hex(name) if name.startswith("0x") else acting.wallet_of(name)


def _signed(acting: "Owner", wallet: "WalletId") -> list[str]:
    """List chain and nonce of everything that was signed: it may still be mined."""
    found: set[str] = set()
    start, length = 0, acting.show(wallet).log_length
    while start < length:
        page = acting.log(wallet, start)
        if not page:
            break
        for entry in page:
            decoded = entry.get("decoded") if isinstance(entry, dict) else None
            if isinstance(decoded, dict):
                found.add(f"{decoded['chain']} nonce {decoded['nonce']}")
        start += len(page)
    return sorted(found)


def _with_signed(shown: dict[str, Any]) -> list[str]:
    signed = shown["signed"]
    lines = fields({name: value for name, value in shown.items() if name != "signed"})
    if signed:
        lines.append("signed before, and perhaps not mined yet (a withdrawal of the same nonce,")
        lines.append("with a higher fee, replaces one):")
        lines += [f"  {one}" for one in signed[-20:]]
    return lines


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if match is None:
        fail("--expires is written as 90s, 30m, 12h or 7d")
    return int(match[1]) * _LENGTHS[match[2]]


def _log_line(entry: Any) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry["time"]))
    head = f"{entry['index']:>5}  {when}  {entry['kind']:<10} {entry['status']:<8}"
    if entry["status"] == "refused":
        return f"{head} {entry['refusal']['message']}"
    decoded = entry["decoded"]
    rule = entry.get("rule") or "to recovery"
    return f"{head} {rule}: {decoded.get('function', 'transfer')} nonce {decoded['nonce']}"
