"""`keymoot policy`: try a policy before it counts."""

import json as json_module
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli.chains import commands_on
from keymoot.cli.output import EXIT_REFUSED, EXIT_WARNED, CommandFailed, fail, note, result, say
from keymoot.cli.request_files import (
    MAX_FILE_BYTES,
    action_of,
    bytes_of,
    told_of_json,
    typed_data_of,
)

if TYPE_CHECKING:
    from keymoot.base.fixed import WalletAddress
    from keymoot.base.units import UnixSeconds
    from keymoot.policy.decide import Decision
    from keymoot.policy.document import Policy

_NAMES = {"--message": "texts", "--typed-data": "typed data", "--action": "actions"}

app = App(name="policy", help="Policies: what a wallet may sign.", help_format="markdown")


@app.command
def check(
    file: Path,
    *,
    tx: Path | None = None,
    message: Path | None = None,
    typed_data: Path | None = None,
    action: Path | None = None,
    wallet: str | None = None,
    at: str | None = None,
    json: bool = False,
) -> None:
    """Read a policy, and try what an agent may ask for on it; nothing is sent anywhere.

    The trace shows every comparison. Limits are tried with nothing spent yet. Exit status 3
    means that it would be refused, 4 that there are warnings (and nothing was refused): what
    an attacker would look for first.

    Args:
        file: The policy document.
        tx: A transaction as web3.py's dictionary, in JSON; numbers or hex. For Solana: base64
            of the message, or of the whole transaction.
        message: A text to sign, as it is.
        typed_data: A document of eth_signTypedData_v4, in JSON: types, primaryType, domain,
            message.
        action: An action of Hyperliquid, in JSON: {"action": {…}, "network": "mainnet"};
            nonce, vaultAddress and expiresAfter as they are posted. Without a nonce it is now.
        wallet: The wallet's address, for rules that say $wallet; where it is left out, the
            transaction's `from`, or on Solana whoever pays.
        at: The ledger's time to try it at, as 2026-12-01T09:30:00Z; where it is left out, now.
        json: Print the result as JSON.
    """
    from keymoot.policy.lint.warnings import warnings_of
    from keymoot.policy.names import written

    options = {"--tx": tx, "--message": message, "--typed-data": typed_data, "--action": action}
    asked = [(option, path) for option, path in options.items() if path is not None]
    if len(asked) > 1:
        fail(f"try one thing at a time: {', '.join(options)}")
    now = _moment(at)
    policy = read_policy(file)
    warnings = warnings_of(policy)
    told = [warning.to_json() for warning in warnings]
    for warning in warnings:
        note(f"warning: {warning.line}")
    if not asked:
        shown: dict[str, Any] = {
            "valid": True,
            "hash": policy.hash.hex0x,
            "chain": str(policy.chain),
            "rules": [rule.name for rule in policy.rules],
            "limits": list(policy.limits),
            "warnings": told,
        }
        lines = [f"valid: {len(policy.rules)} rules, {len(policy.limits)} limits"]
        result(shown, [*lines, f"hash   {policy.hash.hex0x}"], as_json=json)
        if warnings:
            raise CommandFailed(EXIT_WARNED)
        return
    wish = _read_wish(*asked[0], policy.chain.namespace, wallet, now)
    if wallet is None and b'"$wallet"' in policy.source:
        note(f"$wallet is {written(wish[2])} here: say whose it is with --wallet")
    decision = _decide(policy, *wish, now)
    result(
        {
            "allowed": decision.allowed,
            "rule": decision.rule,
            "refusal": None if decision.refusal is None else decision.refusal.to_json(),
            "trace": [step.to_json() for step in decision.trace],
            "warnings": told,
        },
        _lines(decision),
        as_json=json,
    )
    if not decision.allowed:
        raise CommandFailed(EXIT_REFUSED)
    if warnings:
        raise CommandFailed(EXIT_WARNED)


@app.command
def show(name: str, *, url: str | None = None) -> None:
    """Show the policy of a wallet, as it stands on the ledger.

    Args:
        name: The wallet's name here, or its id.
        url: The Keymoot RPC.
    """
    from keymoot.cli.wallet import view_of

    views, wallet = view_of(name, url)
    document = views.policy(wallet)
    if not document:
        fail(f"{name} has no policy yet, so everything is refused")
    say(json_module.dumps(json_module.loads(document), indent=2))


def read_policy(file: Path) -> "Policy":
    """Read and parse a policy file, or end the command with the reason."""
    from keymoot.base.errors import Malformed
    from keymoot.base.strict_json import canonical, parse
    from keymoot.policy.document import parse_policy

    raw = bytes_of(file)
    try:
        # The ledger sees the canonical form: spaces and indents are not counted there.
        return parse_policy(canonical(parse(raw, MAX_FILE_BYTES)))
    except Malformed as error:
        fail(f"{file}: {told_of_json(raw, error)}")


def _moment(at: str | None) -> "UnixSeconds":
    from keymoot.base.units import UnixSeconds
    from keymoot.policy.errors import BadPolicy
    from keymoot.policy.moment import parse_moment

    try:
        return UnixSeconds(int(time.time())) if at is None else parse_moment(at, "--at")
    except BadPolicy as error:
        fail(str(error))


def _read_wish(
    option: str, file: Path, namespace: str, wallet: str | None, now: "UnixSeconds"
) -> "tuple[str, bytes, WalletAddress]":
    """Give what would be asked: method, payload, and the account that is to sign."""
    from keymoot.base.request import SIGN_HYPERLIQUID, SIGN_TYPED_DATA
    from keymoot.policy.chains.registry import chain_in
    from keymoot.policy.errors import BadPolicy

    chain, commands = chain_in(namespace), commands_on(namespace)
    parse = chain.addresses.parse
    try:
        account = None if wallet is None else parse(wallet, "--wallet")
        if option == "--tx":
            return chain.transactions.method, *commands.read(file, account)
        account = account or parse(commands.NOBODY, "")
        methods = [kind.method for kind in chain.others]
        if option == "--message" and methods:
            return methods[0], bytes_of(file), account
        if option == "--typed-data" and SIGN_TYPED_DATA in methods:
            return SIGN_TYPED_DATA, typed_data_of(file), account
        if option == "--action" and SIGN_HYPERLIQUID in methods:
            return SIGN_HYPERLIQUID, action_of(file, now), account
        fail(f"wallets of {namespace} sign no {_NAMES[option]}")
    except BadPolicy as error:
        fail(str(error))


def _decide(
    policy: "Policy", method: str, payload: bytes, account: "WalletAddress", now: "UnixSeconds"
) -> "Decision":
    from keymoot.base.request import MAX_PAYLOAD_BYTES
    from keymoot.policy.decide import Decision, decide
    from keymoot.policy.intent import NeverSigned, read_intent

    try:
        if len(payload) > MAX_PAYLOAD_BYTES:
            why = f"a request holds at most {MAX_PAYLOAD_BYTES} bytes, got {len(payload)}"
            raise NeverSigned("PAYLOAD_TOO_LARGE", why, "payload")
        intent = read_intent(method, payload, account)
    except NeverSigned as error:
        return Decision(None, {}, (), error.refusal, [], {})
    return decide(policy, intent, {}, (), now)


def _lines(decision: "Decision") -> list[str]:
    lines = [
        f"{'ok ' if step.passed else 'no '} {step.rule:<14} {step.path:<16} "
        f"wants {step.wanted}; got {step.got}"
        for step in decision.trace
    ]
    if decision.refusal is None:
        return [*lines, f'allowed by rule "{decision.rule}"']
    return [*lines, f"refused: {decision.refusal.reason}: {decision.refusal.message}"]
