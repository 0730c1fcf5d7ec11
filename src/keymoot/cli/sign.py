"""`keymoot wallet sign`: ask for a signature as the agent does."""

from pathlib import Path

from keymoot.cli.chains import commands_of
from keymoot.cli.output import EXIT_REFUSED, CommandFailed, fail, note, result


def sign(
    name: str,
    tx: Path | None = None,
    *,
    message: Path | None = None,
    url: str | None = None,
    json: bool = False,
) -> None:
    """Ask for a signature as the agent does, with the credential in KEYMOOT_CREDENTIAL.

    Prints the raw signed transaction: hex, or base64 for Solana. Exit status 3 means refused
    by policy.

    Args:
        name: The wallet's name.
        tx: The transaction: web3.py's dictionary in JSON, or a message of Solana in base64.
        message: A file with a text to sign instead; prints the signature.
        url: The Keymoot RPC; default is the credential's.
        json: Print the result as JSON; a refusal too.
    """
    from keymoot.agent.credential import Credential
    from keymoot.policy.errors import PolicyRefused

    file = tx or message
    if file is None or (tx is not None and message is not None):
        fail("name a transaction file, or --message with a text file: one thing at a time")
    held = Credential.connect(name, None)
    try:
        shown, line = commands_of(held.address).sign(name, url, file, as_text=message is not None)
    except PolicyRefused as error:
        result(error.to_json(), [], as_json=json)
        note(f"refused: {error}")
        if error.proved is None:
            note("that is the node's word: it is no refusal that the ledger has recorded")
        else:
            note(f"that is proved: the state after block {error.proved} records it")
        raise CommandFailed(EXIT_REFUSED) from error
    result(shown, [line], as_json=json)
