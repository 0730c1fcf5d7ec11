"""`keymoot key`: the owner's own key."""

from pathlib import Path

from cyclopts import App

from keymoot.cli.options import ActingOwner
from keymoot.cli.output import fields, result, say, warn_simulated
from keymoot.cli.password import new_password

app = App(
    name="key", help="Your own key: an ordinary Ethereum keystore (V3).", help_format="markdown"
)


DERIVE_TOKENS = 1
"""Ledger tokens that an account has at least before it asks."""


@app.command
def new(file: Path, *, password_file: Path | None = None, json: bool = False) -> None:
    """Make a new owner's key and write it as a keystore with mode 0600.

    It owns wallets; it is not a wallet's key, which nobody ever sees. Losing it means that
    policies can no longer be changed nor funds withdrawn: keep a copy.

    Args:
        file: Where to write it; an existing file is never overwritten.
        password_file: File with the password in its first line; otherwise you are asked.
        json: Print the result as JSON.
    """
    from keymoot.agent.keystore import save
    from keymoot.agent.new_file import check_new
    from keymoot.agent.owner import new_key
    from keymoot.crypto.secp256k1 import address_of_secret
    from keymoot.policy.names import checksummed

    check_new(file)
    given = new_password(password_file)
    secret = new_key()
    save(file, secret, given)
    shown = {"address": checksummed(address_of_secret(secret)), "file": str(file)}
    result(shown, fields(shown), as_json=json)


@app.command
def derive(name: str, out: Path, *, by: ActingOwner) -> None:
    """Derive a key of 32 bytes that only your account can put together; the same each time.

    The enclaves answer your keystore's account, sealed to a one-time key: none of them, and
    nobody on the way, learns the derived key. Each question costs a little of the ledger's token.

    Args:
        name: Your name for the key: other names and other accounts give other keys.
        out: Where to write it, as one line of hex with mode 0600; never overwritten.
        by: Who acts.
    """
    from keymoot.agent.new_file import check_new, write_new
    from keymoot.base.hexes import data
    from keymoot.cli.output import note

    check_new(out)
    acting = by.open()
    identity = acting.network.identity()
    warn_simulated(simulated=identity.simulated)
    if acting.network.balance(acting.address) < DERIVE_TOKENS * 10**18:
        note("asking the development network's faucet for ledger tokens")
        acting.network.faucet(acting.address)
    # The same question gives the same key: what the disk does not take is asked for again.
    secret = acting.derived_keys().derive(name.encode())
    write_new(out, data(secret.expose()).encode() + b"\n")
    say(f"the key is in {out}")
