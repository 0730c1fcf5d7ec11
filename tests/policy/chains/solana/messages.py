"""The example policy of Solana, and messages as solders builds them."""

from typing import Any

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import TransferParams
from solders.system_program import transfer as solders_transfer

from keymoot.base.fixed import SolanaAddress
from keymoot.base.request import SIGN_SOLANA_TRANSACTION
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.solana.token_account import TOKEN_PROGRAM, associated_account
from keymoot.policy.decide import Decision, decide
from keymoot.policy.document import Policy, parse_policy
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.limit import Usage

SIGN = "solana_signTransaction"
WALLET = SolanaAddress(b"\x0a" * 32)
PAYEES = [SolanaAddress(bytes([n]) * 32) for n in (0xA1, 0xB2)]
STRANGER = SolanaAddress(b"\x66" * 32)
USDC = SolanaAddress.from_base58("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v")
BONK = SolanaAddress.from_base58("DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263")
MAINNET = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
NOW = UnixSeconds(1_795_000_000)


def document() -> dict[str, Any]:
    """A SOL and fifty USDC a day to two payees, fees capped; one site to sign in to."""
    return {
        "version": "1",
        "chain": MAINNET,
        "sets": {"payees": [one.base58 for one in PAYEES]},
        "rules": [
            {
                "id": "pay",
                "action": "ALLOW",
                "method": SIGN,
                "instruction": "system.transfer",
                "to": {"in": "payees"},
                "amount": {"lte": "600000000"},
                "spend": {"sol-day": "amount"},
            },
            {
                "id": "usdc",
                "action": "ALLOW",
                "method": SIGN,
                "instruction": "token.transferChecked",
                "mint": {"eq": USDC.base58},
                "to": {"in": "payees"},
                "amount": {"lte": "30000000"},
                "spend": {"usdc-day": "amount"},
            },
            {
                "id": "login",
                "action": "ALLOW",
                "method": "solana_signMessage",
                "prefix": "app.example wants you to sign in with your Solana account:",
            },
        ],
        "limits": [
            {"id": "sol-day", "max": "1000000000", "window": "24h", "kind": "rolling"},
            {"id": "usdc-day", "max": "50000000", "window": "24h", "kind": "rolling"},
            {"id": "fee-tx", "meter": "maxFee", "max": "100000", "per": "tx"},
            {"id": "rate", "meter": "count", "max": "20", "window": "1h", "kind": "rolling"},
        ],
        "expires": "2027-01-01T00:00:00Z",
    }


def parsed(changed: dict[str, Any] | None = None) -> Policy:
    return parse_policy(canonical(changed or document()))


def sol(to: SolanaAddress, lamports: int, source: SolanaAddress = WALLET) -> Instruction:
    params = TransferParams(from_pubkey=Pubkey(source), to_pubkey=Pubkey(to), lamports=lamports)
    return solders_transfer(params)


def token(
    to: SolanaAddress,
    amount: int,
    mint: SolanaAddress = USDC,
    source: SolanaAddress | None = None,
    authority: SolanaAddress = WALLET,
    more: tuple[AccountMeta, ...] = (),
    data: bytes | None = None,
) -> Instruction:
    """Send tokens to an owner's associated account; see `token_to` for any account."""
    return token_to(associated_account(to, mint), amount, mint, source, authority, more, data)


def token_to(
    account: SolanaAddress,
    amount: int,
    mint: SolanaAddress = USDC,
    source: SolanaAddress | None = None,
    authority: SolanaAddress = WALLET,
    more: tuple[AccountMeta, ...] = (),
    data: bytes | None = None,
) -> Instruction:
    metas = [
        AccountMeta(Pubkey(source or associated_account(WALLET, mint)), False, True),
        AccountMeta(Pubkey(mint), False, False),
        AccountMeta(Pubkey(account), False, True),
        AccountMeta(Pubkey(authority), True, False),
        *more,
    ]
    plain = b"\x0c" + amount.to_bytes(8, "little") + b"\x06"
    return Instruction(Pubkey(TOKEN_PROGRAM), plain if data is None else data, metas)


def budget(units: int | None = None, price: int | None = None) -> list[Instruction]:
    found = [] if units is None else [set_compute_unit_limit(units)]
    return found if price is None else [*found, set_compute_unit_price(price)]


def built(*instructions: Instruction, payer: SolanaAddress = WALLET, legacy: bool = True) -> bytes:
    block = Hash(b"\xbb" * 32)
    if legacy:
        return bytes(Message.new_with_blockhash(list(instructions), Pubkey(payer), block))
    return to_bytes_versioned(MessageV0.try_compile(Pubkey(payer), list(instructions), [], block))


def judge(
    *instructions: Instruction,
    policy: Policy | None = None,
    usage: dict[str, Usage] | None = None,
    legacy: bool = True,
) -> Decision:
    intent = read_intent(SIGN_SOLANA_TRANSACTION, built(*instructions, legacy=legacy), WALLET)
    return decide(policy or parsed(), intent, usage or {}, (), NOW)


def reason(*instructions: Instruction, **more: Any) -> str:
    """Give the word of the refusal, or "" for a yes."""
    try:
        decision = judge(*instructions, **more)
    except NeverSigned as error:
        return error.refusal.reason
    return "" if decision.refusal is None else decision.refusal.reason


def word_of(payload: bytes, wallet: SolanaAddress = WALLET) -> str:
    """Give the word with which a payload is refused before any policy, or ""."""
    try:
        read_intent(SIGN_SOLANA_TRANSACTION, payload, wallet)
    except NeverSigned as error:
        return error.refusal.reason
    return ""
