"""`keymoot wallet`, the owner's half: rule a wallet, and take everything back."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keymoot.cli import settings
from keymoot.cli.options import Owner, Positive
from keymoot.cli.output import confirm, fail, fields, note, result, tokens

if TYPE_CHECKING:
    from keymoot.agent.owner import Owner as Acting
    from keymoot.base.fixed import WalletId

_LENGTHS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def policy(
    name: str,
    file: Path,
    *,
    by: Owner,
    yes: bool = False,
    json: bool = False,
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
    by: Owner,
    out: Path,
    expires: str = "7d",
    json: bool = False,
) -> None:
    """Grant an agent a credential: a file with which it can ask, and nothing else.

    Args:
        name: The wallet's name.
        out: Where to write the credential, with mode 0600.
        expires: How long it lasts: 90s, 30m, 12h, 7d.
        json: Print the result as JSON.
    """
    from keymoot.agent.errors import CredentialUnusable
    from keymoot.agent.new_file import check_new
    from keymoot.base.units import UnixSeconds

    # The ledger would know a credential that nobody has.
    check_new(out)
    lifetime = _seconds(expires)
    acting = by.open()
    until = UnixSeconds(int(time.time()) + lifetime)
    credential = acting.grant(_owned(acting, name), name, until)
    try:
        credential.save(out)
    except CredentialUnusable as error:
        fail(
            f"{error}. The ledger has granted it all the same, and nobody has it: "
            f"`keymoot wallet revoke {name} {credential.requester.hex0x}`, and grant another"
        )
    shown = {
        "credential": credential.requester.hex0x,
        "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)),
        "file": str(out),
    }
    result(shown, fields(shown), as_json=json)
    note(f"for the agent: export KEYMOOT_CREDENTIAL={out}")


def revoke(
    name: str,
    credential: str,
    *,
    by: Owner,
    json: bool = False,
) -> None:
    """Take a credential back, at once.

    Args:
        name: The wallet's name.
        credential: Its address, or its file.
        json: Print the result as JSON.
    """
    from keymoot.agent.credential import Credential
    from keymoot.base.fixed import Address

    if credential.startswith("0x"):
        holder = Address.from_hex(credential)
    else:
        holder = Credential.load(Path(credential)).requester
    acting = by.open()
    wallet = _owned(acting, name)
    done = acting.revoke(wallet, holder)
    shown = {"revoked": holder.hex0x, "height": done.height, "signed": _signed(acting, wallet)}
    result(shown, _with_signed(shown), as_json=json)


def pause(
    name: str,
    *,
    by: Owner,
    json: bool = False,
) -> None:
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


def resume(
    name: str,
    *,
    by: Owner,
    json: bool = False,
) -> None:
    """End a pause.

    Args:
        name: The wallet's name.
        json: Print the result as JSON.
    """
    acting = by.open()
    done = acting.resume(_owned(acting, name))
    shown = {"paused": False, "height": done.height}
    result(shown, fields(shown), as_json=json)


def fund(
    name: str,
    amount: Positive,
    *,
    by: Owner,
    json: bool = False,
) -> None:
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
    name: str,
    tx: Path,
    *,
    by: Owner,
    max_fee: Positive | None = None,
    json: bool = False,
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
    import base64

    from keymoot.base.fixed import SolanaAddress
    from keymoot.base.request import SIGN_SOLANA_TRANSACTION, SIGN_TRANSACTION
    from keymoot.base.units import Wei
    from keymoot.cli.wish import read_transaction, solana_message
    from keymoot.policy.intent import NotSignable, read_intent
    from keymoot.policy.recovery import check_withdrawal

    if not tx.exists():
        fail(f"{tx} cannot be read: there is no such file")
    acting = by.open()
    wallet = _owned(acting, name)
    found = acting.show(wallet)
    account, stated = found.account, None if max_fee is None else Wei(max_fee)
    if isinstance(account, SolanaAddress):
        method, payload = SIGN_SOLANA_TRANSACTION, solana_message(tx, account)[0]
    else:
        transaction = read_transaction(tx, account.hex0x)
        method, payload = SIGN_TRANSACTION, transaction.unsigned_bytes()
    try:
        intent = read_intent(method, payload, account)
    except NotSignable as error:
        fail(error.refusal.message)
    if isinstance(account, SolanaAddress):
        note(f"fee: at most {intent.max_fee} lamports")
    else:
        note(f"fee: at most {tokens(intent.max_fee)} of the chain's own token")
    refusal = check_withdrawal(intent, found.recovery, stated)
    if refusal is not None:
        fail(refusal.message)
    if isinstance(account, SolanaAddress):
        signed = acting.withdraw_solana(wallet, payload, max_fee=stated)
        text = base64.b64encode(signed).decode()
    else:
        text = "0x" + acting.withdraw(wallet, transaction, max_fee=stated).hex()
    result({"raw": text, "maxFee": str(intent.max_fee)}, [text], as_json=json)


COMMANDS = (policy, grant, revoke, pause, resume, fund, withdraw)
"""The owner's half of `keymoot wallet`."""


def _owned(acting: "Acting", name: str) -> "WalletId":
    from keymoot.base.fixed import WalletId
    from keymoot.contracts.wallet_errors import NoSuchWallet

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
    found: set[str] = set()
    start, length = 0, acting.show(wallet).log_length
    while start < length:
        page = acting.log(wallet, start)
        if not page:
            break
        for entry in page:
            decoded = entry.get("decoded") if isinstance(entry, dict) else None
            if isinstance(decoded, dict) and "nonce" in decoded:
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
