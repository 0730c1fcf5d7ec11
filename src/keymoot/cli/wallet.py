"""`keymoot wallet`: make wallets, rule them, and take everything back."""

import time
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli import address_book, settings
from keymoot.cli.options import ActingOwner, NotNegative, Positive
from keymoot.cli.output import fail, fields, note, result, tokens, warn_simulated

if TYPE_CHECKING:
    from keymoot.agent.views import WalletViews
    from keymoot.base.fixed import WalletId

app = App(
    name="wallet", help="Wallets: their owner, policy, credentials and log.", help_format="markdown"
)

DEFAULT_QUOTA = 5
"""Ledger tokens that a new wallet is prepaid with: some 50,000 requests."""

MAX_NAME_CHARACTERS = 64
"""A credential carries the name, and no longer one."""


@app.command
def create(
    name: str,
    *,
    by: ActingOwner,
    recovery: str | None = None,
    quota: NotNegative = DEFAULT_QUOTA,
    in_vault: bool = False,
    chain: str = "eip155",
    json: bool = False,
) -> None:
    """Make a wallet. It has no policy yet: everything is refused.

    Its key is the committee's, and no enclave has it.

    Args:
        name: Your name for it, 1 to 64 characters; the wallet's id follows from your key and
            this name.
        recovery: The one address to which you can always withdraw, for ever; default your own.
            On Solana you have to name one.
        quota: Ledger tokens to prepay requests with. A development network gives them away.
        in_vault: Let the key be born in Vault instead: one broken enclave then has it.
        chain: Where the wallet is, as CAIP-2 names it: eip155 for all EVM chains, or solana.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei
    from keymoot.cli.chains import NewWallet, commands_on
    from keymoot.policy.names import checksummed, written

    _check_name(name)
    commands = commands_on(chain)
    home = commands.recovery(recovery, in_vault=in_vault)
    acting = by.open()
    identity = acting.network.identity()
    wei = Wei(quota * 10**18)
    settings.provide(acting, wei)
    made = commands.create(acting, NewWallet(name, home, wei, in_vault))
    address_book.add(
        address_book.Entry(
            name,
            identity.network.hex0x,
            made.wallet.hex0x,
            written(made.account),
            acting.address.hex0x,
        )
    )
    shown = {
        "name": name,
        "address": written(made.account),
        "wallet": made.wallet.hex0x,
        "owner": checksummed(made.owner),
        "recovery": written(made.recovery),
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

    known = address_book.entries()
    lines = [
        f"{entry.name:<16} {entry.account}  on network {entry.network[:14]}…" for entry in known
    ]
    shown = lines or ["no wallets yet: keymoot wallet create NAME --owner owner.json"]
    result([asdict(entry) for entry in known], shown, as_json=json)


@app.command
def show(name: str, *, url: str | None = None, json: bool = False) -> None:
    """Show a wallet: owner, policy, what is spent, what is left.

    Args:
        name: The wallet's name here, or its id.
        url: The Keymoot RPC.
        json: Print the result as JSON.
    """
    from keymoot.policy.names import written

    views, wallet = view_of(name, url)
    record = views.show(wallet)
    shown: dict[str, Any] = {
        "address": written(record.account),
        "wallet": record.wallet.hex0x,
        "owner": written(record.owner),
        "recovery": written(record.recovery),
        "paused": record.paused,
        "quota": f"{tokens(record.quota)} ledger tokens",
        "policyVersion": record.policy_version,
        "policyHash": record.policy_hash.hex0x,
        "logLength": record.log_length,
    }
    usage = views.usage(wallet)
    lines = fields(shown)
    for line in usage if isinstance(usage, list) else []:
        if isinstance(line, dict):
            window = "a transaction" if line["window"] is None else f"in {line['window']} s"
            lines.append(f"limit {line['limit']}: {line['used']} of {line['max']} {window}")
    warn_simulated(simulated=views.network.identity().simulated)
    result(shown | {"usage": usage}, lines, as_json=json)


@app.command
def log(name: str, *, last: Positive = 20, url: str | None = None, json: bool = False) -> None:
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
    result(entries, [_log_line(entry) for entry in entries] or ["the log is empty"], as_json=json)


def _check_name(name: str) -> None:
    """Refuse a name that no credential can carry, or that looks like an id."""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        fail(f"a wallet's name has 1 to {MAX_NAME_CHARACTERS} characters, got {len(name)}")
    if not name.isprintable():
        fail("a wallet's name has printable characters only")
    if name.startswith("0x"):
        fail("a wallet's name does not begin with 0x: ids do")


def view_of(name: str, url: str | None) -> tuple["WalletViews", "WalletId"]:
    from keymoot.agent.views import WalletViews
    from keymoot.base.fixed import WalletId

    network = settings.network(url)
    if name.startswith("0x"):
        return WalletViews(network), WalletId.from_hex(name)
    entry = address_book.find(name, network.identity().network.hex0x)
    return WalletViews(network), WalletId.from_hex(entry.wallet)


def _log_line(entry: Any) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry["time"]))
    head = f"{entry['index']:>5}  {when}  {entry['kind']:<10} {entry['status']:<8}"
    if entry["status"] == "refused":
        return f"{head} {entry['refusal']['message']}"
    return f"{head} {entry.get('rule') or 'to recovery'}: {what_was_signed(entry['decoded'])}"


def what_was_signed(decoded: dict[str, Any]) -> str:
    """Say in a few words what a log entry's signature is over."""
    if "nonce" in decoded:
        return f"{decoded.get('function', 'transfer')} nonce {decoded['nonce']}"
    if "instructions" in decoded:
        kinds = ", ".join(instruction["instruction"] for instruction in decoded["instructions"])
        return f"{kinds} under blockhash {decoded['recentBlockhash'][:8]}…"
    if "message" in decoded:
        return f"text {decoded['message'][:48]!r}"
    return ", ".join(f"{name} {value}" for name, value in decoded.items())
