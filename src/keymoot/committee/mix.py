"""No maker of enclaves holds so many seats that they are a key, whoever comes and goes.

Whoever can forge a maker's evidence has all seats for which it vouches. A key is learned by one
seat more than ECDSA's degree, which falls when a committee shrinks: so what is allowed follows
from how many sit, and a leave can break a mix as well as a newcomer.
"""

from collections.abc import Mapping, Sequence

from keymoot.attest.quorum import VendorHoldsTooMuch, check_seats, seats_by_maker
from keymoot.threshold.committee import MIN_SIZE, Committee


def most_of(demanded: int, size: int) -> int:
    """Give how many seats one maker may hold of a committee.

    Args:
        demanded: What the genesis allows; not 0.
        size: How many sit in it, from 4 to 64.
    """
    return min(demanded, Committee.of(size).ecdsa_degree)


def check_mix(vendors: Mapping[int, str], demanded: int, size: int) -> None:
    """Raise VendorHoldsTooMuch where a maker holds too much of a committee.

    Args:
        vendors: By seat: all of them, or those that are known by now.
        demanded: What the genesis allows; not 0.
        size: How many sit in it.
    """
    check_seats(vendors, most_of(demanded, size))


def fits(vendors: Mapping[int, str], demanded: int) -> bool:
    """Tell whether no maker holds too much of a committee; `vendors` by seat."""
    try:
        check_mix(vendors, demanded, len(vendors))
    except VendorHoldsTooMuch:
        return False
    return True


def mixed(
    members: Mapping[int, str],
    joining: Mapping[int, str],
    leaving: Sequence[int],
    wish: Sequence[int],
    demanded: int,
) -> tuple[int, ...]:
    """Give who sits next, as near to what is wished as a mix allows; rising.

    No order of messages gets around it, for it looks at who would sit in the end. If one comes or
    goes who breaks the mix, the others may still.

    Args:
        members: Vendors of those who sit, by seat; they are a mix.
        joining: Vendors of those who come.
        leaving: Who goes, in the order in which that was settled.
        wish: Who would sit next if nobody asked about makers.
        demanded: How many seats one maker may hold at most; not 0.
    """
    everyone = {**members, **joining}
    # 1. All of it, if it fits: many who come and go at once may fit only together.
    if fits({seat: everyone[seat] for seat in wish}, demanded):
        return tuple(wish)
    # 2. Of a maker that holds too much one goes who wants to, or else the newcomer of the highest
    #    number stays out.
    seats = dict(everyone)
    while not fits(seats, demanded):
        held = max(seats_by_maker(seats).values(), key=len)
        newest = [seat for seat in held if seat in joining][-1:]
        goes = [*[seat for seat in leaving if seat in held], *newest][:1]
        if not goes or len(seats) <= MIN_SIZE:
            # Those who sit are a mix.
            return tuple(sorted(members))
        del seats[goes[0]]
    # 3. Others go who want to, as long as what is left fits.
    for leaver in leaving:
        rest = {seat: vendor for seat, vendor in seats.items() if seat != leaver}
        if leaver in seats and len(rest) >= MIN_SIZE and fits(rest, demanded):
            seats = rest
    return tuple(sorted(seats))
