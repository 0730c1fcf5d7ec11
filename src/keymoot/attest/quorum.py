"""Whether validators with more than two thirds of the power signed a header.

The checks are those of CometBFT's VerifyCommit, which looks at every signature, also
those that are not needed and those for nil: so that no bit of what is accepted is
without an owner. Trust in the validator set itself is the caller's: it comes from
the genesis or from a header verified before.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from keymoot.attest.commit import Commit, CommitSig, Flag, SignedHeader
from keymoot.attest.header import Header
from keymoot.attest.validators import ValidatorSet
from keymoot.base.errors import Defect, Fault, Refused
from keymoot.crypto import ed25519


class NotFinal(Refused):
    """The header may be genuine, but nothing here shows that our validators made it final."""

    code: ClassVar[str] = "NOT_FINAL"


class WrongChain(NotFinal):
    """The header belongs to another network."""

    code: ClassVar[str] = "WRONG_CHAIN"

    def __init__(self, found: str, expected: str) -> None:
        """Name both chain ids."""
        super().__init__(
            f'the header is of chain "{found}", ours is "{expected}": ask another node'
        )
        self.found = found
        self.expected = expected


class WrongCommit(NotFinal):
    """The commit is of another block than the header."""

    code: ClassVar[str] = "WRONG_COMMIT"


class WrongValidators(NotFinal):
    """Other validators than the trusted ones made this header."""

    code: ClassVar[str] = "WRONG_VALIDATORS"


class TooLittlePower(NotFinal):
    """Two thirds of the power, or less, signed."""

    code: ClassVar[str] = "TOO_LITTLE_POWER"

    def __init__(self, signed: int, total: int) -> None:
        """Say how much signed of how much."""
        super().__init__(
            f"validators with {signed} of {total} power signed, more than two thirds are needed: "
            "wait, or ask another node"
        )
        self.signed = signed
        self.total = total


class ForgedCommit(Fault):
    """The commit carries something that no correct node ever wrote."""

    code: ClassVar[str] = "FORGED_COMMIT"


_OURS: Final = object()


@dataclass(frozen=True)
class VerifiedHeader:
    """A header that is final; only `verify_commit` makes one."""

    header: Header
    _token: object

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere.

        Raises:
            Defect: somebody called the constructor.
        """
        if self._token is not _OURS:
            raise Defect("only quorum.verify_commit makes a VerifiedHeader: call it")


def verify_commit(signed: SignedHeader, validators: ValidatorSet, chain_id: str) -> VerifiedHeader:
    """Raise unless `signed` is final under these validators.

    Args:
        signed: The header and its commit, from anybody.
        validators: The trusted set of the header's height.
        chain_id: Text that our network's headers carry.

    Returns:
        The header, marked as verified.

    Raises:
        NotFinal: the evidence is of something else, or too little.
        ForgedCommit: a signer stands twice, in another's place, is unknown, or its
            signature is bad. Whoever handed over the commit did it or believed it,
            so nobody is blamed.
    """
    header, commit = signed.header, signed.commit
    # 1. It is our network's.
    if header.chain_id != chain_id:
        raise WrongChain(header.chain_id, chain_id)
    # 2. The commit is of this height.
    if commit.height != header.height:
        raise WrongCommit(f"the commit is of height {commit.height}, the header of {header.height}")
    # 3. The commit is of this very block.
    if commit.block_id.hash != header.hash():
        raise WrongCommit(f"the commit at height {header.height} is of another block")
    # 4. The header was made by the validators that we trust.
    if header.validators_hash != validators.hash():
        raise WrongValidators(f"the header at height {header.height} names other validators")
    # 5. Every validator has its one place.
    if len(commit.signatures) != len(validators.validators):
        raise WrongCommit(
            f"the commit has {len(commit.signatures)} places "
            f"for {len(validators.validators)} validators"
        )
    _check_places(commit, validators)
    signed_power = _check_signatures(commit, validators, chain_id)
    # 10. More than two thirds of the power signed for this block.
    if 3 * signed_power <= 2 * validators.total_power:
        raise TooLittlePower(signed_power, validators.total_power)
    return VerifiedHeader(header, _OURS)


def _check_places(commit: Commit, validators: ValidatorSet) -> None:
    seen: set[bytes] = set()
    for at, (each, validator) in enumerate(
        zip(commit.signatures, validators.validators, strict=True)
    ):
        if each.flag is Flag.ABSENT:
            continue
        # 6. The signer is a validator.
        if each.address not in validators.by_address:
            raise ForgedCommit(f"signature {at} is of {each.address.hex()}, who is no validator")
        # 7. It signs once.
        if each.address in seen:
            raise ForgedCommit(f"signature {at} is the second of {each.address.hex()}")
        seen.add(each.address)
        # 8. It stands in its own place.
        if each.address != validator.address:
            raise ForgedCommit(f"signature {at} stands in the place of {validator.address.hex()}")


def _check_signatures(commit: Commit, validators: ValidatorSet, chain_id: str) -> int:
    """Check every signature and add up the power of those for the block."""
    power = 0
    for at, (each, validator) in enumerate(
        zip(commit.signatures, validators.validators, strict=True)
    ):
        if each.flag is Flag.ABSENT:
            continue
        # 9. The signature is the validator's, over this vote.
        if not ed25519.verify(
            validator.public_key, commit.sign_bytes(chain_id, at), each.signature
        ):
            raise ForgedCommit(f"signature {at} is not that of {validator.address.hex()}")
        power += _counted(each, validator.power)
    return power


def _counted(each: CommitSig, power: int) -> int:
    return power if each.flag is Flag.COMMIT else 0
