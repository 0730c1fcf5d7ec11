"""What the command line does for wallets of one chain: files are read, signatures printed.

One object for each chain, by its namespace (`policy.chains` has all else that differs).
"""

import base64
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from keymoot.cli.output import fail, tokens
from keymoot.cli.request_files import bytes_of, fields_of, read_transaction, solana_message

if TYPE_CHECKING:
    from keymoot.agent.owner import Owner
    from keymoot.agent.views import WalletView
    from keymoot.base.fixed import WalletAddress, WalletId
    from keymoot.base.units import Wei

Signed = tuple[dict[str, Any], str]
"""What is printed: fields, and the line for people."""


@dataclass(frozen=True, slots=True)
class NewWallet:
    """A wallet to be made; `recovery` is what `Commands.recovery` gave."""

    name: str
    recovery: "WalletAddress | None"
    quota: "Wei"
    in_vault: bool


class Commands(ABC):
    """One chain's half of `keymoot wallet`."""

    NOBODY: str
    """An address that nobody has, for wishes that are tried without a wallet."""

    @abstractmethod
    def read(self, file: Path, wallet: "WalletAddress | None") -> "tuple[bytes, WalletAddress]":
        """Give a transaction's payload, and whose it is: the wallet's, or whom the file names."""

    @abstractmethod
    def recovery(self, text: str | None, *, in_vault: bool) -> "WalletAddress | None":
        """Read where withdrawals go; None: to the owner's own address."""

    @abstractmethod
    def create(self, acting: "Owner", new: NewWallet) -> "WalletView": ...

    @abstractmethod
    def sign(self, name: str, url: str | None, file: Path, *, as_text: bool) -> Signed:
        """Ask for a signature as the agent does."""

    @abstractmethod
    def withdraw(
        self, acting: "Owner", wallet: "WalletId", file: Path, max_fee: "Wei | None"
    ) -> str:
        """Have a withdrawal signed; give what is sent to the chain."""

    @abstractmethod
    def fee(self, units: int) -> str: ...


class EvmCommands(Commands):
    """EVM chains: web3.py's dictionaries in, hex out."""

    NOBODY = "0x" + "00" * 19 + "01"

    def read(self, file: Path, wallet: "WalletAddress | None") -> "tuple[bytes, WalletAddress]":
        """Read a dictionary; it may name its sender."""
        from keymoot.policy.names import parse_address

        if wallet is None:
            # The client asks for its own account only, so `from` is who would ask.
            wallet = parse_address(fields_of(file).get("from") or self.NOBODY, "from")
        return read_transaction(file, wallet.hex0x).unsigned_bytes(), wallet

    def recovery(self, text: str | None, *, in_vault: bool) -> "WalletAddress | None":
        from keymoot.policy.names import parse_address

        del in_vault
        return None if text is None else parse_address(text, "--recovery")

    def create(self, acting: "Owner", new: NewWallet) -> "WalletView":
        from keymoot.base.fixed import Address

        home = acting.address if new.recovery is None else Address(new.recovery)
        return acting.create(new.name, home, new.quota, in_vault=new.in_vault)

    def sign(self, name: str, url: str | None, file: Path, *, as_text: bool) -> Signed:
        """Give the raw transaction and its hash, or a text's signature."""
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

    def withdraw(
        self, acting: "Owner", wallet: "WalletId", file: Path, max_fee: "Wei | None"
    ) -> str:
        transaction = read_transaction(file, acting.show(wallet).account.hex0x)
        return "0x" + acting.withdraw(wallet, transaction, max_fee=max_fee).hex()

    def fee(self, units: int) -> str:
        return f"{tokens(units)} of the chain's own token"


class SolanaCommands(Commands):
    """Solana: messages in base64 in, transactions in base64 out."""

    NOBODY = "1" * 31 + "2"

    def read(self, file: Path, wallet: "WalletAddress | None") -> "tuple[bytes, WalletAddress]":
        """Read a message; it names who pays."""
        from keymoot.base.fixed import SolanaAddress

        payer = SolanaAddress.from_base58(self.NOBODY) if wallet is None else SolanaAddress(wallet)
        payload, fee_payer = solana_message(file, payer)
        return payload, payer if wallet else fee_payer

    def recovery(self, text: str | None, *, in_vault: bool) -> "WalletAddress | None":
        """Read it: the owner has no address of its own here."""
        from keymoot.policy.names import parse_solana_address

        if in_vault:
            fail("Vault keeps no keys for Solana: leave out --in-vault")
        if text is None:
            fail("name an address of yours on Solana, to which you can always withdraw: --recovery")
        return parse_solana_address(text, "--recovery")

    def create(self, acting: "Owner", new: NewWallet) -> "WalletView":
        from keymoot.base.fixed import SolanaAddress

        # The ledger refuses zeros, should nobody have read an address.
        home = SolanaAddress(new.recovery or bytes(SolanaAddress.LENGTH))
        return acting.create_solana(new.name, home, new.quota)

    def sign(self, name: str, url: str | None, file: Path, *, as_text: bool) -> Signed:
        """Give the transaction and its first signature, or a text's signature."""
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

    def withdraw(
        self, acting: "Owner", wallet: "WalletId", file: Path, max_fee: "Wei | None"
    ) -> str:
        payload, _ = self.read(file, acting.show(wallet).account)
        return base64.b64encode(acting.withdraw_solana(wallet, payload, max_fee=max_fee)).decode()

    def fee(self, units: int) -> str:
        return f"{units} lamports"


COMMANDS: dict[str, Commands] = {"eip155": EvmCommands(), "solana": SolanaCommands()}


def commands_on(namespace: str) -> Commands:
    """Of a chain, or end the command."""
    return COMMANDS.get(namespace) or _unknown(namespace)


def commands_of(address: "WalletAddress") -> Commands:
    from keymoot.policy.chains.registry import chain_of

    return commands_on(chain_of(address).namespace)


def _unknown(namespace: str) -> NoReturn:
    fail(f"{namespace} is no chain of wallets: name {' or '.join(COMMANDS)}")
