"""Who signs blocks: the members, from two blocks after the one that seated them.

As in CometBFT: block H decides, header H+1 names who comes next, and the commit of H+2 is
the first one that they sign.
"""

from collections.abc import Sequence
from functools import lru_cache

from keymoot.attest.validators import Ed25519Key, Validator, ValidatorSet
from keymoot.base.errors import Defect
from keymoot.base.units import Height
from keymoot.moot.assembly import Assembly
from keymoot.moot.genesis import Genesis
from keymoot.moot.handover import succession_page
from keymoot.moot.succession import MAX_CHAIN, Keeper, Members, Succession, follow_all

SETTLING_BLOCKS = 2
"""How many blocks after the deciding one the new members sign for the first time."""


def founding_members(genesis: Genesis) -> Members:
    """Give the members whom the genesis lists; their seats are 1 to n."""
    keepers = [
        Keeper(seat, one.identity_key, one.consensus_key)
        for seat, one in enumerate(genesis.members, 1)
    ]
    return Members.first(genesis.network, keepers)


def follow_chain(genesis: Genesis, chain: Sequence[bytes]) -> list[Members]:
    """Give the members after each link of a chain that somebody handed over, founders first.

    Raises:
        Malformed: not successions.
        NoSuccession: they do not follow from the genesis.
    """
    return follow_all(founding_members(genesis), [Succession.decode(raw) for raw in chain])


def validators_of(genesis: Genesis, members: Members) -> ValidatorSet:
    """Give who signs blocks while these keep the keys: after the founders all weigh the same."""
    if members.epoch == 0:
        return _founding(genesis)
    return _equal(members.keepers)


def validators_at(assembly: Assembly, genesis: Genesis, height: Height) -> ValidatorSet:
    """Give who signs the block at a height.

    Args:
        assembly: As of one or two blocks before, or of anything since.
        genesis: The founders sign until there are others.
        height: Not below the change before the newest.
    """
    if not assembly.hall.founded:
        return _founding(genesis)
    latest = assembly.turning.handover.latest
    settled = height >= latest.height + SETTLING_BLOCKS
    count = latest.count if settled or not latest.count else latest.count - 1
    if not count:
        return _founding(genesis)
    raw = assembly.hall.pages.get(succession_page(count))
    if raw is None:
        raise Defect(f"link {count} of the succession is not at hand")
    return _named_by(raw)


def signers_of(genesis: Genesis, steps: Sequence[Members], named: bytes) -> ValidatorSet:
    """Give the set that a header names, if it is that of the newest members or the ones before.

    Args:
        genesis: The network's.
        steps: From `follow_chain`.
        named: The header's `validators_hash`; whoever uses the set checks the header with it.
    """
    sets = [validators_of(genesis, one) for one in steps[-2:]]
    return next((one for one in sets if one.hash() == named), sets[-1])


def chain_of(assembly: Assembly, known: int = 0, most: int = MAX_CHAIN) -> list[bytes]:
    """Give the links after the first `known` ones: all of them to who knows the genesis only."""
    if not assembly.hall.founded:
        return []
    found = []
    last = min(assembly.turning.handover.latest.count, known + most)
    for count in range(known + 1, last + 1):
        raw = assembly.hall.pages.get(succession_page(count))
        if raw is None:
            raise Defect(f"link {count} of the succession is not at hand")
        found.append(raw)
    return found


@lru_cache(maxsize=4)
def _founding(genesis: Genesis) -> ValidatorSet:
    return genesis.validators()


@lru_cache(maxsize=16)
def _named_by(link: bytes) -> ValidatorSet:
    """Read a link's members; every block asks, and links hardly change."""
    return _equal(Succession.decode(link).terms.keepers)


def _equal(keepers: tuple[Keeper, ...]) -> ValidatorSet:
    return ValidatorSet.of(Validator(Ed25519Key(one.consensus), 1) for one in keepers)
