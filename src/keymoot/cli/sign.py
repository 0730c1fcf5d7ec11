"""`keymoot wallet sign`: ask for a signature as the agent does."""

import os
from pathlib import Path
from typing import Any

from keymoot.cli import settings
from keymoot.cli.output import EXIT_REFUSED, Failed, fail, note, result
from keymoot.cli.wish import bytes_of, fields_of, solana_message

Signed = tuple[dict[str, Any], str]
"""What is printed: fields, and the line for people."""


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
    from keymoot.base.fixed import SolanaAddress
    from keymoot.policy.errors import PolicyRefused

    file = tx or message
    if file is None or (tx is not None and message is not None):
        fail("name a transaction file, or --message with a text file: one thing at a time")
    if not os.environ.get(settings.CREDENTIAL_VARIABLE):
        fail(f"{settings.CREDENTIAL_VARIABLE} must name the credential file")
    held = Credential.connect(name, None)
    ask = _on_solana if isinstance(held.address, SolanaAddress) else _on_evm_chains
    try:
        shown, line = ask(name, url, file, as_text=message is not None)
    except PolicyRefused as error:
        result(error.to_json(), [], as_json=json)
        note(f"refused: {error}")
        if error.proved is None:
            note("that is the node's word: it is no refusal that the ledger has recorded")
        else:
            note(f"that is proved: the state after block {error.proved} records it")
        raise Failed(EXIT_REFUSED) from error
    result(shown, [line], as_json=json)


def _on_evm_chains(name: str, url: str | None, file: Path, *, as_text: bool) -> Signed:
    from eth_account.messages import encode_defunct

    from keymoot.agent.account import Account

    account = Account.connect(name, url=url)
    if as_text:
        made = account.sign_message(encode_defunct(bytes_of(file)))
        signature = made.signature.to_0x_hex()
        return {"signature": signature}, signature
    signed = account.sign_transaction(fields_of(file))
    raw = signed.raw_transaction.to_0x_hex()
    return {"raw": raw, "hash": signed.hash.to_0x_hex()}, raw


def _on_solana(name: str, url: str | None, file: Path, *, as_text: bool) -> Signed:
    import base64

    from keymoot.agent.solana import SolanaAccount
    from keymoot.base import base58

    account = SolanaAccount.connect(name, url=url)
    if as_text:
        signature = base58.encode(account.sign_message(bytes_of(file)))
        return {"signature": signature}, signature
    raw = account.sign_transaction(solana_message(file, account.pubkey)[0])
    text = base64.b64encode(raw).decode()
    # Solana names a transaction by its first signature.
    return {"raw": text, "signature": base58.encode(raw[1:65])}, text
