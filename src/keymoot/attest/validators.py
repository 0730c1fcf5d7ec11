"""Who may sign blocks, with what weight, in the order in which CometBFT hashes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Self

from keymoot.attest import merkle
from keymoot.attest import messages_pb2 as pb
from keymoot.attest.wire import ADDRESS_BYTES, encode
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32

MAX_TOTAL_POWER = (2**63 - 1) // 8
"""Most power that a whole set may have (CometBFT's MaxTotalVotingPower)."""

MAX_VALIDATORS = 10_000
"""Most validators of a set (CometBFT's MaxVotesCount)."""


class Ed25519Key(Bytes32):
    """A validator's Ed25519 public key."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Validator:
    """One signer of blocks; its weight is an integer above zero."""

    public_key: Ed25519Key
    power: int

    @property
    def address(self) -> bytes:
        """The first 20 bytes of SHA-256 of the key: CometBFT's name for it."""
        return sha256(self.public_key).digest()[:ADDRESS_BYTES]

    def encode(self) -> bytes:
        """Give the protobuf bytes of its leaf (key and power; no address, no turn)."""
        return encode(
            pb.SimpleValidator(public_key=pb.PublicKey(ed25519=self.public_key), power=self.power)
        )


@dataclass(frozen=True)
class ValidatorSet:
    """All signers of one height, in CometBFT's order; build one with `of`."""

    validators: tuple[Validator, ...]

    @classmethod
    def of(cls, validators: Iterable[Validator]) -> Self:
        """Order by power, largest first, then by address.

        Raises:
            Malformed: nobody, too many, one twice, or power out of bounds.
        """
        ordered = tuple(sorted(validators, key=lambda each: (-each.power, each.address)))
        if not 0 < len(ordered) <= MAX_VALIDATORS:
            raise Malformed(f"a set has 1 to {MAX_VALIDATORS} validators, got {len(ordered)}")
        if len({each.public_key for each in ordered}) != len(ordered):
            raise Malformed("a validator stands twice in one set")
        if min(each.power for each in ordered) < 1:
            raise Malformed("a validator's power is at least 1")
        found = cls(ordered)
        if found.total_power > MAX_TOTAL_POWER:
            raise Malformed(f"the power of a set is at most {MAX_TOTAL_POWER}")
        return found

    @cached_property
    def total_power(self) -> int:
        """The sum of all powers."""
        return sum(each.power for each in self.validators)

    @cached_property
    def by_address(self) -> dict[bytes, Validator]:
        """The validators by their 20-byte addresses."""
        return {each.address: each for each in self.validators}

    @cached_property
    def _hash(self) -> Hash32:
        return merkle.root([each.encode() for each in self.validators])

    def hash(self) -> Hash32:
        """Give the hash that headers carry as `validators_hash`."""
        return self._hash
