"""`keymoot key`: the owner's own key."""

import os
from pathlib import Path

from cyclopts import App

from keymoot.cli import settings
from keymoot.cli.options import Owner
from keymoot.cli.output import fields, result, warn_simulated

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
    from keymoot.agent.owner import new_key
    from keymoot.cli.output import fail
    from keymoot.crypto.secp256k1 import address_of_secret
    from keymoot.policy.names import checksummed

    if file.exists():
        fail(f"{file} exists: choose another name, keys are never overwritten")
    secret = new_key()
    save(file, secret, settings.password(password_file, twice=True))
    shown = {"address": checksummed(address_of_secret(secret)), "file": str(file)}
    result(shown, fields(shown), as_json=json)


@app.command
def derive(name: str, out: Path, *, by: Owner) -> None:
    """Derive a key of 32 bytes that only your account can put together; the same each time.

    The enclaves answer your keystore's account, sealed to a one-time key: none of them, and
    nobody on the way, learns the derived key. Each question costs a little of the ledger's token.

    Args:
        name: Your name for the key: other names and other accounts give other keys.
        out: Where to write it, as one line of hex with mode 0600; never overwritten.
        by: Who acts.
    """
    from keymoot.base.hexes import data
    from keymoot.cli.output import fail, note

    acting = by.open()
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}; keys are never overwritten")
    try:
        with os.fdopen(handle, "wb") as file:
            identity = acting.network.identity()
            warn_simulated(simulated=identity.simulated)
            if acting.network.balance(acting.address) < DERIVE_TOKENS * 10**18:
                note("asking the development network's faucet for ledger tokens")
                acting.network.faucet(acting.address)
            secret = acting.derived_keys().derive(name.encode())
            file.write(data(secret.expose()).encode() + b"\n")
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    print(f"the key is in {out}")
