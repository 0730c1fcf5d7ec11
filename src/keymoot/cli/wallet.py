"""`keymoot wallet`: make wallets, rule them, and take everything back."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli import book, settings
from keymoot.cli.options import Owner
from keymoot.cli.output import fail, fields, note, result, tokens, warn_simulated

if TYPE_CHECKING:
    from keymoot.agent.owner import Views
    from keymoot.base.fixed import WalletId

app = App(name="wallet", help="Wallets: their owner, policy, credentials and log.")

DEFAULT_QUOTA = 5
"""Ledger tokens that a new wallet is prepaid with: some 50,000 requests."""


@app.command
def create(
    name: str,
    *,
    by: Owner,
    recovery: str | None = None,
    quota: int = DEFAULT_QUOTA,
    in_vault: bool = False,
    json: bool = False,
) -> None:
    """Make a wallet. It has no policy yet: everything is refused.

    Its key is the assembly's, and no enclave has it.

    Args:
        name: Your name for it; the wallet's id follows from your key and this name.
        recovery: The one address to which you can always withdraw, for ever; default your own.
        quota: Ledger tokens to prepay requests with. A development network gives them away.
        in_vault: Let the key be born in Vault instead: one broken enclave then has it.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei
    from keymoot.policy.names import checksummed, parse_address

    acting = by.open()
    exit_address = acting.address if recovery is None else parse_address(recovery, "--recovery")
    identity = acting.network.identity()
    wei = Wei(quota * 10**18)
    if acting.network.balance(acting.address) < wei + 10**18:
        note("asking the development network's faucet for ledger tokens")
        acting.network.faucet(acting.address)
    made = acting.create(name, exit_address, wei, in_vault=in_vault)
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
    note(f"next: keymoot wallet policy {name} rules.json --owner {by.owner}")


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
    views, wallet = view_of(name, url)
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
    views, wallet = view_of(name, url)
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


def view_of(name: str, url: str | None) -> tuple["Views", "WalletId"]:
    """Find a wallet in the book, and give what may be read of it."""
    from keymoot.agent.owner import Views
    from keymoot.base.fixed import WalletId

    network = settings.network(url)
    entry = book.find(name, network.identity().network.hex0x)
    return Views(network), WalletId.from_hex(entry.wallet)


def _log_line(entry: Any) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry["time"]))
    head = f"{entry['index']:>5}  {when}  {entry['kind']:<10} {entry['status']:<8}"
    if entry["status"] == "refused":
        return f"{head} {entry['refusal']['message']}"
    decoded = entry["decoded"]
    rule = entry.get("rule") or "to recovery"
    return f"{head} {rule}: {decoded.get('function', 'transfer')} nonce {decoded['nonce']}"
