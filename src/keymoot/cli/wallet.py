"""`keymoot wallet`: make wallets, rule them, and take everything back."""

import time
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli import book, settings
from keymoot.cli.options import NotNegative, Owner, Positive
from keymoot.cli.output import fail, fields, note, result, tokens, warn_simulated

if TYPE_CHECKING:
    from keymoot.agent.views import Views
    from keymoot.base.fixed import Address, SolanaAddress, WalletId

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
    by: Owner,
    recovery: str | None = None,
    quota: NotNegative = DEFAULT_QUOTA,
    in_vault: bool = False,
    solana: bool = False,
    json: bool = False,
) -> None:
    """Make a wallet. It has no policy yet: everything is refused.

    Its key is the assembly's, and no enclave has it.

    Args:
        name: Your name for it, 1 to 64 characters; the wallet's id follows from your key and
            this name.
        recovery: The one address to which you can always withdraw, for ever; default your own.
            On Solana you have to name one.
        quota: Ledger tokens to prepay requests with. A development network gives them away.
        in_vault: Let the key be born in Vault instead: one broken enclave then has it.
        solana: Make a wallet on Solana, with an Ed25519 key; otherwise one of EVM chains.
        json: Print the result as JSON.
    """
    from keymoot.base.fixed import Address, SolanaAddress
    from keymoot.base.units import Wei
    from keymoot.policy.names import checksummed, written

    _check_name(name)
    exit_address = _recovery(recovery, solana=solana, in_vault=in_vault)
    acting = by.open()
    identity = acting.network.identity()
    wei = Wei(quota * 10**18)
    settings.provide(acting, wei)
    if isinstance(exit_address, SolanaAddress):
        made = acting.create_solana(name, exit_address, wei)
    else:
        home: Address = exit_address or acting.address
        made = acting.create(name, home, wei, in_vault=in_vault)
    book.add(
        book.Entry(
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
    from keymoot.policy.names import written

    views, wallet = view_of(name, url)
    found = views.show(wallet)
    shown: dict[str, Any] = {
        "address": written(found.account),
        "wallet": found.wallet.hex0x,
        "owner": written(found.owner),
        "recovery": written(found.recovery),
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
    result(entries, [_log_line(one) for one in entries] or ["the log is empty"], as_json=json)


def _check_name(name: str) -> None:
    """Refuse a name that no credential can carry, or that looks like an id."""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS:
        fail(f"a wallet's name has 1 to {MAX_NAME_CHARACTERS} characters, got {len(name)}")
    if not name.isprintable():
        fail("a wallet's name has printable characters only")
    if name.startswith("0x"):
        fail("a wallet's name does not begin with 0x: ids do")


def _recovery(
    text: str | None, *, solana: bool, in_vault: bool
) -> "Address | SolanaAddress | None":
    """Read where withdrawals go; None: to the owner's own address."""
    from keymoot.policy.names import parse_address, parse_solana_address

    if not solana:
        return None if text is None else parse_address(text, "--recovery")
    if in_vault:
        fail("Vault keeps no keys for Solana: leave out --in-vault")
    if text is None:
        fail("name an address of yours on Solana, to which you can always withdraw: --recovery")
    return parse_solana_address(text, "--recovery")


def view_of(name: str, url: str | None) -> tuple["Views", "WalletId"]:
    """Find a wallet in the book, and give what may be read of it."""
    from keymoot.agent.views import Views
    from keymoot.base.fixed import WalletId

    network = settings.network(url)
    if name.startswith("0x"):
        return Views(network), WalletId.from_hex(name)
    entry = book.find(name, network.identity().network.hex0x)
    return Views(network), WalletId.from_hex(entry.wallet)


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
        kinds = ", ".join(one["instruction"] for one in decoded["instructions"])
        return f"{kinds} under blockhash {decoded['recentBlockhash'][:8]}…"
    return f"text {decoded['message'][:48]!r}"
