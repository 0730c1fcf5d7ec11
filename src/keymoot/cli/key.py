"""`keymoot key`: the owner's own key."""

from pathlib import Path

from cyclopts import App

from keymoot.cli import settings
from keymoot.cli.output import fields, result

app = App(name="key", help="Your own key: an ordinary Ethereum keystore (V3).")


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
