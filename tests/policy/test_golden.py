"""What each kind of wish is decided to, byte for byte: documents, decisions, refusals, records.

`golden.json` beside this file holds it. Whoever changes a word on
purpose runs `python -m tests.policy.test_golden` and reads the difference.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keymoot.base import rlp
from keymoot.base.fixed import Address, Hash32, SolanaAddress
from keymoot.base.request import (
    ASK_AGAIN,
    SIGN_MESSAGE,
    SIGN_SOLANA_MESSAGE,
    SIGN_SOLANA_TRANSACTION,
    SIGN_TRANSACTION,
    SIGN_TYPED_DATA,
)
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import LEGACY
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, IN_VAULT, Wallet
from keymoot.policy.decide import decide
from keymoot.policy.document import Policy, parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.limit import Usage
from keymoot.policy.recovery import check_withdrawal
from keymoot.policy.work import comparisons
from tests.policy import documents as evm
from tests.policy.chains.evm.typed import payments as typed
from tests.policy.chains.solana import messages as solana
from tests.policy.documents import DELETE, NOW, changed

GOLDEN = Path(__file__).with_name("golden.json")

BATCH = {"permitted": [], "spender": typed.PAYEE.hex0x, "nonce": 0, "deadline": 5}
HOME, SOLANA_HOME = Address(b"\x77" * 20), SolanaAddress(b"\x77" * 32)
SITE = b"app.example wants you to sign in with your Solana account:"


def evm_document() -> dict[str, Any]:
    """The document of the interfaces, and texts of one site."""
    start = evm.interfaces()
    text = {"id": "login", "action": "ALLOW", "method": SIGN_MESSAGE, "prefix": "app.example asks:"}
    deny = {
        "id": "never",
        "action": "DENY",
        "method": SIGN_TRANSACTION,
        "to": {"eq": evm.STRANGER.hex0x},
    }
    payment = typed.payment_rule(within={"validBefore": "366d"})
    return start | {"rules": [*start["rules"], text, deny, payment]}


def evm_wishes() -> dict[str, tuple[str, bytes]]:
    def sent(**changes: Any) -> bytes:
        return evm.deposit(5_000_000, **changes).unsigned_bytes()

    return {
        "deposit": (SIGN_TRANSACTION, sent()),
        "too much": (SIGN_TRANSACTION, evm.deposit(500_000_001).unsigned_bytes()),
        "for another": (SIGN_TRANSACTION, evm.deposit(5, evm.STRANGER).unsigned_bytes()),
        "legacy": (SIGN_TRANSACTION, sent(kind=LEGACY, max_priority_fee=0)),
        "another chain": (SIGN_TRANSACTION, sent(chain_id=1)),
        "value": (SIGN_TRANSACTION, sent(value=1)),
        "denied": (SIGN_TRANSACTION, evm.tx(evm.STRANGER).unsigned_bytes()),
        "creation": (SIGN_TRANSACTION, evm.tx(None).unsigned_bytes()),
        "no transaction": (SIGN_TRANSACTION, b"\x02\xc0"),
        "text": (SIGN_MESSAGE, b"app.example asks: is it you?"),
        "other text": (SIGN_MESSAGE, b"other.example asks: is it you?"),
        "no text": (SIGN_MESSAGE, b"\xff"),
        "permit": (SIGN_TYPED_DATA, canonical({"primaryType": "Permit"})),
        "typed data": (SIGN_TYPED_DATA, canonical({"primaryType": "Mail"})),
        "payment": (SIGN_TYPED_DATA, canonical(typed.authorization(2_000))),
        "payment to another": (SIGN_TYPED_DATA, canonical(typed.authorization(1, typed.STRANGER))),
        "payment of too much": (SIGN_TYPED_DATA, canonical(typed.authorization(500_000_001))),
        "Permit2": (SIGN_TYPED_DATA, canonical(typed.document(typed.PERMIT_BATCH, BATCH))),
        "Safe": (SIGN_TYPED_DATA, canonical(typed.document("SafeTx(bool a)", {"a": True}))),
        "of Solana": (SIGN_SOLANA_TRANSACTION, b""),
        "text of Solana": (SIGN_SOLANA_MESSAGE, b""),
        "unknown": ("eth_sign", b""),
        "again": (ASK_AGAIN, b""),
    }


def solana_wishes() -> dict[str, tuple[str, bytes]]:
    def sent(*instructions: Any, **more: Any) -> tuple[str, bytes]:
        return SIGN_SOLANA_TRANSACTION, solana.built(*instructions, **more)

    payee, stranger = solana.PAYEES[0], solana.STRANGER
    return {
        "pay": sent(solana.sol(payee, 1_000)),
        "version 0": sent(solana.sol(payee, 1_000), legacy=False),
        "two": sent(*solana.budget(10_000, 5), solana.sol(payee, 1_000), solana.token(payee, 7)),
        "too much": sent(*[solana.sol(payee, 600_000_000)] * 2),
        "condition": sent(solana.sol(payee, 600_000_001)),
        "stranger": sent(solana.sol(stranger, 1)),
        "other token": sent(solana.token(payee, 7, solana.BONK)),
        "fee": sent(*solana.budget(1_400_000, 1_000_000), solana.sol(payee, 1)),
        "other payer": sent(solana.sol(payee, 1, stranger), payer=stranger),
        "no message": (SIGN_SOLANA_TRANSACTION, b"\x01"),
        "text": (SIGN_SOLANA_MESSAGE, SITE + b"\nyou"),
        "other text": (SIGN_SOLANA_MESSAGE, b"other.example asks"),
        "transaction as text": (SIGN_SOLANA_MESSAGE, solana.built(solana.sol(payee, 1))),
        "of EVM chains": (SIGN_TRANSACTION, b""),
        "typed data": (SIGN_TYPED_DATA, b"{}"),
        "unknown": ("solana_signAllTransactions", b""),
    }


def judged(policy: Policy, method: str, payload: bytes, wallet: Address | SolanaAddress) -> Any:
    """Give all that follows from a wish."""
    try:
        intent = read_intent(method, payload, wallet)
    except NeverSigned as error:
        return {"never": error.refusal.to_json(), "says": error.refusal.message}
    spent = {name: Usage() for name in policy.limits}
    decision = decide(policy, intent, spent, (), NOW)
    refusal = decision.refusal
    return {
        "digest": intent.digest.hex0x,
        "message": intent.message.hex(),
        "slot": None if intent.slot is None else list(intent.slot),
        "fee": str(intent.max_fee),
        "value": str(intent.value),
        "work": comparisons(policy, intent),
        "rule": decision.rule,
        "usage": {name: rlp.encode(one.encode()).hex() for name, one in decision.usage.items()},
        "holds": [one.encode().hex() for one in decision.reservations],
        "decoded": decision.decoded,
        "trace": [[one.rule, one.path, one.wanted, one.got, one.passed] for one in decision.trace],
        "refusal": None if refusal is None else [refusal.message, refusal.to_json()],
    }


def homeward(method: str, payload: bytes, wallet: Any, home: Any, fee: int | None = None) -> Any:
    """Give why an owner's wish is no withdrawal."""
    refusal = check_withdrawal(read_intent(method, payload, wallet), home, fee)
    return None if refusal is None else [refusal.message, refusal.to_json()]


def kept(home: Any, account: Any, custody: int) -> str:
    """Give a wallet's record."""
    found = Wallet(
        owner=Address(b"\x55" * 20),
        recovery=home,
        account=account,
        paused=True,
        policy_version=3,
        policy_hash=Hash32(b"h" * 32),
        created_at=UnixSeconds(1_700_000_000),
        custody=custody,
    )
    raw = found.encode()
    assert Wallet.decode(raw) == found
    return raw.hex()


def faults(start: dict[str, Any], edits: dict[str, Any]) -> dict[str, str]:
    """Give why documents are none, by what was changed."""
    found = {}
    for path, value in edits.items():
        try:
            parse_policy(canonical(changed(start, path, value)))
            found[path] = ""
        except BadPolicy as error:
            found[path] = str(error)
    return found


def evm_case() -> dict[str, Any]:
    policy = evm.parsed(evm_document())
    send: Callable[..., bytes] = lambda *args, **more: evm.tx(*args, **more).unsigned_bytes()  # noqa: E731
    home, wallet = HOME, evm.WALLET
    return {
        "policy": policy.hash.hex0x,
        "chain": str(policy.chain),
        "wishes": {name: judged(policy, *one, wallet) for name, one in evm_wishes().items()},
        "withdrawals": {
            "home": homeward(SIGN_TRANSACTION, send(home), wallet, home),
            "away": homeward(SIGN_TRANSACTION, send(evm.STRANGER), wallet, home),
            "dear": homeward(SIGN_TRANSACTION, send(home), wallet, home, 5),
            "text": homeward(SIGN_MESSAGE, b"hello", wallet, home),
        },
        "wallets": [kept(home, wallet, IN_VAULT), kept(home, wallet, BY_COMMITTEE)],
        "faults": faults(
            evm_document(),
            {
                "chain": "eip155:0",
                "sets/usdc": [solana.USDC.base58],
                "sets/vaults": [evm.VAULTS[0].hex0x] * 2,
                "rules/0/method": SIGN_SOLANA_TRANSACTION,
                "rules/0/to": {"in": "strangers"},
                "rules/1/to": {"lt": "5"},
                "rules/1/args": {"receiver": {"eq": "0x12"}},
                "rules/3/prefix": "short",
                "rules/3/method": SIGN_SOLANA_MESSAGE,
                "rules/1/spend": {"usdc-day": "nothing"},
            },
        ),
    }


def solana_case() -> dict[str, Any]:
    policy = solana.parsed()
    send, home, wallet = SIGN_SOLANA_TRANSACTION, SOLANA_HOME, solana.WALLET
    return {
        "policy": policy.hash.hex0x,
        "chain": str(policy.chain),
        "wishes": {name: judged(policy, *one, wallet) for name, one in solana_wishes().items()},
        "withdrawals": {
            "home": homeward(send, solana.built(solana.sol(home, 5)), wallet, home),
            "tokens": homeward(send, solana.built(solana.token(home, 5)), wallet, home),
            "away": homeward(send, solana.built(solana.sol(solana.STRANGER, 5)), wallet, home),
            "dear": homeward(send, solana.built(solana.sol(home, 5)), wallet, home, 5),
            "text": homeward(SIGN_SOLANA_MESSAGE, SITE, wallet, home),
        },
        "wallets": [kept(home, wallet, BY_COMMITTEE)],
        "faults": faults(
            solana.document(),
            {
                "chain": "solana:mainnet",
                "sets/payees": [evm.USDC.hex0x],
                "rules/0/method": SIGN_TRANSACTION,
                "rules/0/to": {"lt": "5"},
                "rules/0/instruction": "system.steal",
                "rules/1/mint": {"notIn": [solana.USDC.base58]},
                "rules/1/to": DELETE,
                "rules/1/spend": {"usdc-day": "$value"},
                "rules/2/method": SIGN_MESSAGE,
            },
        ),
    }


def golden() -> dict[str, Any]:
    crossed = {
        "EVM wallet, policy of Solana": judged(
            solana.parsed(), *evm_wishes()["deposit"], evm.WALLET
        ),
        "EVM text, policy of Solana": judged(solana.parsed(), *evm_wishes()["text"], evm.WALLET),
        "Solana wallet, EVM policy": judged(evm.parsed(), *solana_wishes()["pay"], solana.WALLET),
    }
    return {"evm": evm_case(), "solana": solana_case(), "crossed": crossed}


def test_decisions_and_documents_are_what_they_were() -> None:
    kept_ones = json.loads(GOLDEN.read_text())
    found = json.loads(json.dumps(golden()))
    for name, case in found.items():
        for part, value in case.items():
            assert value == kept_ones[name][part], f"{name}, {part}"
    assert found == kept_ones


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), indent=1, ensure_ascii=False) + "\n")
