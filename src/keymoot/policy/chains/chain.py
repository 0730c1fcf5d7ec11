"""What there is to say of a chain, in one object: its addresses, keys, wishes and rules.

A chain here is a CAIP-2 namespace: all of its networks have the same addresses and the same
kind of transactions. Each has a folder beside this file, whose `chain.py` makes its object,
and a place in `registry.py`. Nothing else asks which chain it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from keymoot.base.fixed import Fixed, Hash32
from keymoot.base.strict_json import Json
from keymoot.base.units import ChainId, Nonce, UnixSeconds
from keymoot.crypto.scheme import Scheme
from keymoot.policy.address import AddressForm
from keymoot.policy.condition import Sets
from keymoot.policy.limit import Limit
from keymoot.policy.match import Trace, Trial
from keymoot.policy.refusal import Refusal
from keymoot.policy.rule import Rule


class Intent(Protocol):
    """A wish, decoded: what is decided over.

    Each chain has its own kinds: a transaction, a text. What is written here all of them have.
    """

    @property
    def wallet(self) -> Fixed:
        """Its type tells the chain."""

    @property
    def method(self) -> str:
        """The method by which it was asked for; it tells the kind."""

    @property
    def network(self) -> str:
        """The network that it names, as `eip155:8453`; the namespace where it names none."""

    @property
    def digest(self) -> Hash32:
        """What ECDSA signs; for an Ed25519 key only a name."""

    @property
    def message(self) -> bytes:
        """What Ed25519 signs; empty for an ECDSA key."""

    @property
    def slot(self) -> tuple[ChainId, Nonce] | None:
        """Chain and nonce under which a later one replaces this; None where none does."""

    @property
    def max_fee(self) -> int:
        """What it costs at most, in the chain's least unit."""

    @property
    def value(self) -> int:
        """What it moves of the chain's own token, in its least unit."""

    def decoded(self) -> dict[str, Json]:
        """Show it as JSON, amounts as decimal text."""


@dataclass(frozen=True, slots=True, eq=False)
class WishKind:
    """One kind of wish of a chain: what one method asks for, and how it is ruled.

    Attributes:
        method: The method's name.
        read: Decodes a payload for a wallet; raises NeverSigned.
        parse_rule: Reads a document's rule of this method, with the document's sets and limits,
            at a path; raises BadPolicy.
        try_rules: Tries a document's rules on a wish at the block's time; gives a trial for each
            part that needs a rule, and writes every comparison into the trace.
        comparisons: Counts, before the first is made, how many that can take (`condition.made_by`).
        check_withdrawal: Tells why a wish is no withdrawal to a recovery address; its fee is at
            most what is given, or what is usual.
    """

    method: str
    read: Callable[[bytes, Any], Any]
    parse_rule: Callable[[dict[str, Json], Sets, dict[str, Limit], str], Rule]
    try_rules: Callable[[Sequence[Rule], Any, UnixSeconds, Trace], list[Trial]]
    comparisons: Callable[[Sequence[Rule], Any], int]
    check_withdrawal: Callable[[Any, Any, int | None], Refusal | None]


def no_check(rules: Sequence[Rule]) -> None:
    """Want nothing of all rules together."""
    del rules


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One chain.

    Attributes:
        namespace: As CAIP-2 has it; what a document's `chain` begins with.
        example: One of its networks, for errors.
        key: Its keys, for people: "an Ed25519 key, of Solana".
        scheme: What its keys sign by.
        addresses: How its addresses are read and written.
        address_of: Gives the address of a public key of `scheme.key_bytes` bytes.
        is_reference: Whether a text is a network's reference, behind the namespace.
        transactions: The kind of wish that an owner's withdrawal is.
        others: The other kinds that rules may allow.
        check_rules: What all rules of a document must keep to together; raises BadPolicy.
        told_by_length: Whether a wallet's record says no more than the address: its length
            tells the chain. Of one length at most one chain is.
    """

    namespace: str
    example: str
    key: str
    scheme: Scheme
    addresses: AddressForm
    address_of: Callable[[bytes], Fixed]
    is_reference: Callable[[str], bool]
    transactions: WishKind
    others: tuple[WishKind, ...] = ()
    check_rules: Callable[[Sequence[Rule]], None] = no_check
    told_by_length: bool = False
    kinds: Mapping[str, WishKind] = field(init=False)

    def __post_init__(self) -> None:
        kinds = {kind.method: kind for kind in (self.transactions, *self.others)}
        object.__setattr__(self, "kinds", kinds)


@dataclass(frozen=True, slots=True)
class ChainName:
    """One network of one chain, as CAIP-2 writes it; `Chain.is_reference` knows its reference."""

    namespace: str
    reference: str

    def __str__(self) -> str:
        return f"{self.namespace}:{self.reference}"
