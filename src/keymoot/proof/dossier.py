"""One file that proves a wallet, cells or a receipt from the network's beginning, with no network.

Founding record, certified header, members, and then whatever was asked for. `examine` names
each step once it holds, and `assumptions` what no file can prove.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId, WalletId
from keymoot.base.strict_json import Json
from keymoot.proof.chain import Shown
from keymoot.proof.committee import check_committee
from keymoot.proof.errors import NotProven
from keymoot.proof.founding import Founded, Founding
from keymoot.proof.receipt import ReceiptProof
from keymoot.proof.shape import fields_of
from keymoot.proof.state import AccountProof
from keymoot.proof.wallet import check_wallet

FORMAT = "keymoot-proof/1"

MAX_DOSSIER_BYTES = 16_777_216
"""Longest file that is read: a wallet of a committee of 64 has about 0.2 MB."""

_FIELDS = (
    "format",
    "network",
    "founding",
    "header",
    "certificate",
    "members",
    "wallet",
    "account",
    "receipt",
)


@dataclass(frozen=True, slots=True)
class CheckedFact:
    """Something that was checked, and holds; `says` is what follows from it."""

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """A founding, a certified header and proofs under it, as somebody shows them.

    Attributes:
        network: The id that the file claims.
        shown: The header under whose state root members, wallet and account are proved.
        wallet: A wallet's id, and the proof of its record, policy and book.
        receipt: Of a block of its own.
    """

    network: NetworkId
    founding: Founding
    shown: Shown
    members: AccountProof
    wallet: tuple[WalletId, AccountProof] | None = None
    account: AccountProof | None = None
    receipt: ReceiptProof | None = None

    def examine(self, pinned: NetworkId | None) -> Iterator[CheckedFact]:
        """Check everything, in order; give each step once it holds.

        `pinned` is the network's id, from somebody who is believed; None takes the file's word, as
        `assumptions` then says.
        """
        # 1. The beginning: one network, one verifying key.
        if pinned is not None and pinned != self.network:
            raise NotProven(f"the file is of network {self.network.hex0x}, not {pinned.hex0x}")
        founded = self.founding.check(self.network)
        anchor = founded.anchor
        founders = len(founded.genesis.founders())
        yield CheckedFact(
            "founding record", f"all {founders} founders of {self.network.hex0x} signed it"
        )
        # 2. The newest block of the file.
        self.shown.check(anchor)
        header = self.shown.header
        yield CheckedFact("certificate", f"of block {header.height}, under the verifying key")
        yield CheckedFact("header", f"{header.hash.hex0x} of generation {header.generation.hex0x}")
        # 3. Who keeps the keys after it.
        committee = check_committee(self.members, header, anchor.verifying_key)
        yield CheckedFact(
            "members",
            f"{committee.committee.size}, epoch {committee.epoch.number}, and their roots",
        )
        # 4. What was asked for.
        if self.wallet is not None:
            name, proof = self.wallet
            wallet = check_wallet(proof, header, self.network, name, committee.roots)
            yield CheckedFact(
                "wallet",
                f"{name.hex0x} with address {wallet.record.account.text} and policy {wallet.record.policy_version}",
            )
        if self.account is not None:
            yield from _examine_account(self.account, header.state_root)
        if self.receipt is not None:
            self.receipt.shown.check(anchor)
            receipt = self.receipt.check(self.receipt.shown.header)
            yield CheckedFact(
                "transaction",
                f"{receipt.hash.hex0x} at {receipt.index} of block {receipt.header.height}",
            )
            yield CheckedFact("receipt", f"status {receipt.status}, {len(receipt.logs)} logs")

    def to_json(self) -> Json:
        wallet: Json = None
        if self.wallet is not None:
            wallet = {"id": self.wallet[0].hex0x, "proof": self.wallet[1].to_json()}
        return {
            "format": FORMAT,
            "network": self.network.hex0x,
            "founding": self.founding.to_json(),
            **self.shown.to_json(),
            "members": self.members.to_json(),
            "wallet": wallet,
            "account": None if self.account is None else self.account.to_json(),
            "receipt": None if self.receipt is None else self.receipt.to_json(),
        }

    @staticmethod
    def from_json(told: Any) -> "Dossier":
        """Nothing is checked yet."""
        form, network, founding, header, certificate, members, wallet, account, receipt = fields_of(
            told, _FIELDS, "file"
        )
        if form != FORMAT:
            raise Malformed(f'the format is "{FORMAT}"', "file.format")
        return Dossier(
            NetworkId(hexes.parse_data(network, "file.network", NetworkId.LENGTH)),
            Founding.from_json(founding),
            Shown.of(header, certificate, "file"),
            AccountProof.from_json(members, "file.members"),
            None if wallet is None else _read_wallet(wallet),
            None if account is None else AccountProof.from_json(account, "file.account"),
            None if receipt is None else ReceiptProof.from_json(receipt, "file.receipt"),
        )


def assumptions(founded: Founded, *, pinned: bool) -> list[str]:
    """Say what is left to believe where every step of a file holds."""
    signatures = []
    if not pinned:
        signatures.append("the network's id is the file's own word: compare it with one you trust")
    if founded.genesis.development:
        signatures.append(
            "SIMULATED: a development network, whose enclaves protect nothing from root"
        )
    else:
        signatures.append(
            "the members' evidence is not in this file: that they are enclaves is believed"
        )
    signatures.append("more than two thirds of the members of each generation kept to the protocol")
    signatures.append("a newer block may exist that nobody showed")
    return signatures


def _examine_account(proof: AccountProof, root: Hash32) -> Iterator[CheckedFact]:
    storage = proof.check(root)
    account = storage.account
    yield CheckedFact(
        "account", f"{storage.address.hex0x}: nonce {account.nonce}, balance {account.balance} wei"
    )
    for slot, value in storage.slots.items():
        says = f"0x{value.hex()}" if value else "absent"
        yield CheckedFact("slot", f"{slot.hex0x}: {says}")


def _read_wallet(told: Any) -> tuple[WalletId, AccountProof]:
    name, proof = fields_of(told, ("id", "proof"), "file.wallet")
    return (
        WalletId(hexes.parse_data(name, "file.wallet.id", WalletId.LENGTH)),
        AccountProof.from_json(proof, "file.wallet.proof"),
    )
