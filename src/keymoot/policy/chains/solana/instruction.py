"""The instructions of Solana that a wallet may sign: transfers, and the budget of their fee.

Each in one form: exactly its accounts, exactly its data. All others are refused by name.
"""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from keymoot.base.fixed import SolanaAddress
from keymoot.base.strict_json import Json
from keymoot.policy.chains.solana.hazards import COMPUTE_BUDGET, SYSTEM_PROGRAM, hazard_of
from keymoot.policy.chains.solana.message import Instruction, SolanaMessage
from keymoot.policy.chains.solana.token_account import TOKEN_PROGRAM
from keymoot.policy.refusal import NeverSigned

MAX_TRANSFERS = 16
"""Transfers of one transaction; each is held against every rule."""

_SYSTEM_TRANSFER = (2).to_bytes(4, "little")
_TRANSFER_CHECKED = b"\x0c"
_UNIT_LIMIT, _UNIT_PRICE = b"\x02", b"\x03"


@dataclass(frozen=True, slots=True)
class SystemTransfer:
    """Lamports of the wallet, sent to an account.

    `place` is where in the transaction, for errors.
    """

    NAME: ClassVar[str] = "system.transfer"

    place: str
    to: SolanaAddress
    amount: int

    def decoded(self) -> dict[str, Json]:
        return {"instruction": self.NAME, "to": self.to.base58, "amount": str(self.amount)}


@dataclass(frozen=True, slots=True)
class TokenTransfer:
    """Tokens sent from one token account to another, on the wallet's authority.

    Attributes:
        place: Where in the transaction, for errors.
        source: The token account that they leave; the wallet's, or one delegated to it.
        mint: Which token; SPL Token checks that both accounts hold it.
        to: The token account that they reach. Whose it is stands on the chain only.
        decimals: Of the mint; SPL Token checks them.
    """

    NAME: ClassVar[str] = "token.transferChecked"

    place: str
    source: SolanaAddress
    mint: SolanaAddress
    to: SolanaAddress
    amount: int
    decimals: int

    def decoded(self) -> dict[str, Json]:
        return {
            "instruction": self.NAME,
            "mint": self.mint.base58,
            "from": self.source.base58,
            "to": self.to.base58,
            "amount": str(self.amount),
            "decimals": self.decimals,
        }


Transfer: TypeAlias = SystemTransfer | TokenTransfer


@dataclass(slots=True)
class Instructions:
    """What a transaction does.

    Attributes:
        unit_limit: Compute units that it may use at most, if it says so.
        unit_price: Millionths of a lamport per unit, if it says so.
    """

    transfers: list[Transfer] = field(default_factory=list)
    unit_limit: int | None = None
    unit_price: int | None = None


def read_instructions(message: SolanaMessage) -> Instructions:
    """Read every instruction of a message whose first account is its only signer.

    Raises:
        NeverSigned: an instruction that is not known, not in its one form, not of the
            wallet's own authority, or one too many.
    """
    instructions = Instructions()
    for at, instruction in enumerate(message.instructions):
        place = f"instructions[{at}]"
        program = message.accounts[instruction.program]
        accounts = [message.accounts[index] for index in instruction.accounts]
        data = instruction.data
        if program == SYSTEM_PROGRAM and data[:4] == _SYSTEM_TRANSFER:
            instructions.transfers.append(_system_transfer(message, accounts, data, place))
        elif program == TOKEN_PROGRAM and data[:1] == _TRANSFER_CHECKED:
            instructions.transfers.append(_transfer_checked(message, accounts, data, place))
        elif program == COMPUTE_BUDGET and data[:1] in (_UNIT_LIMIT, _UNIT_PRICE):
            _budget(instructions, instruction, place)
        else:
            word, why = hazard_of(program, data)
            raise NeverSigned(word, why, place)
    if not 0 < len(instructions.transfers) <= MAX_TRANSFERS:
        message_text = f"a transaction has 1 to {MAX_TRANSFERS} transfers"
        raise NeverSigned(
            "TRANSFERS", f"{message_text}, got {len(instructions.transfers)}", "instructions"
        )
    return instructions


def _system_transfer(
    message: SolanaMessage, accounts: list[SolanaAddress], data: bytes, place: str
) -> SystemTransfer:
    _form(SystemTransfer.NAME, accounts, 2, data, 12, place)
    source, to = accounts
    _authority(message, source, place)
    return SystemTransfer(place, to, int.from_bytes(data[4:], "little"))


def _transfer_checked(
    message: SolanaMessage, accounts: list[SolanaAddress], data: bytes, place: str
) -> TokenTransfer:
    # A fifth account would be a signer of a multisig.
    _form(TokenTransfer.NAME, accounts, 4, data, 10, place)
    source, mint, to, authority = accounts
    _authority(message, authority, place)
    amount = int.from_bytes(data[1:9], "little")
    return TokenTransfer(place, source, mint, to, amount, data[9])


def _budget(read: Instructions, instruction: Instruction, place: str) -> None:
    if instruction.data[:1] == _UNIT_LIMIT:
        _form("SetComputeUnitLimit", instruction.accounts, 0, instruction.data, 5, place)
        once, read.unit_limit = read.unit_limit, int.from_bytes(instruction.data[1:], "little")
    else:
        _form("SetComputeUnitPrice", instruction.accounts, 0, instruction.data, 9, place)
        once, read.unit_price = read.unit_price, int.from_bytes(instruction.data[1:], "little")
    if once is not None:
        raise NeverSigned("COMPUTE_BUDGET", "a budget is set once", place)


def _form(
    name: str,
    accounts: "list[SolanaAddress] | tuple[int, ...]",
    wanted_accounts: int,
    data: bytes,
    wanted_bytes: int,
    place: str,
) -> None:
    if len(accounts) != wanted_accounts:
        why = f"{name} has {wanted_accounts} accounts here, got {len(accounts)}"
        raise NeverSigned("MALFORMED_INSTRUCTION", why, f"{place}.accounts")
    if len(data) != wanted_bytes:
        why = f"{name} has {wanted_bytes} bytes of data, got {len(data)}"
        raise NeverSigned("MALFORMED_INSTRUCTION", why, f"{place}.data")


def _authority(message: SolanaMessage, authority: SolanaAddress, place: str) -> None:
    wallet = message.accounts[0]
    if authority != wallet:
        why = f"{authority.base58} does not sign here: the wallet {wallet.base58} moves its own"
        raise NeverSigned("WRONG_AUTHORITY", why, f"{place}.accounts")
