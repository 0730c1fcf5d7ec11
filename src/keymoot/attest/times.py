"""When a block was: the weighted median of the votes before it (CometBFT's BFT time)."""

from keymoot.attest.commit import Commit, Flag
from keymoot.attest.validators import ValidatorSet
from keymoot.base.errors import Malformed
from keymoot.base.units import UnixNanos


def median_time(commit: Commit, validators: ValidatorSet) -> UnixNanos:
    """Give the time of the block that carries `commit` as its last commit.

    The half of the power that is honest surrounds it, so no minority moves it.

    Raises:
        Malformed: a signer is no validator, or nobody signed.
    """
    weighted: list[tuple[UnixNanos, int]] = []
    for each in commit.signatures:
        if each.flag is not Flag.COMMIT:
            continue
        validator = validators.by_address.get(each.address)
        if validator is None:
            raise Malformed("a signer of the commit is no validator", "commit")
        weighted.append((each.timestamp, validator.power))
    left = sum(power for _, power in weighted) // 2
    for time, power in sorted(weighted, key=lambda pair: pair[0]):
        if left <= power:
            return time
        left -= power
    raise Malformed("nobody signed the commit", "commit")
