"""Quorum across vendors: nobody's quotes, however forged, make up a key.

Whoever can forge one vendor's evidence holds every seat that this vendor vouches for. A root of
degree d is learned by d + 1 seats; so no vendor may hold more than d of them. The smallest
degree is that of ECDSA.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from keymoot.base.errors import Refused

MAKERS: Final[Mapping[str, str]] = {
    "tdx": "Intel",
    "sgx": "Intel",
    "snp": "AMD",
    "nitro": "AWS",
    "simulated": "nobody (SIMULATED)",
}
"""Who vouches for each kind of claims. A maker's kinds count together: they share its root."""


class VendorHoldsTooMuch(Refused, code="VENDOR_HOLDS_TOO_MUCH"):
    """One maker vouches for so many seats that its forged quotes would hold a key.

    Attributes:
        maker: Who.
        seats: How many seats it holds, rising.
        most: How many it may hold: the degree.
    """

    def __init__(self, maker: str, seats: tuple[int, ...], most: int) -> None:
        self.maker, self.seats, self.most = maker, seats, most
        numbers = ", ".join(map(str, seats))
        super().__init__(
            f"{maker} vouches for {len(seats)} seats ({numbers}), at most {most} are allowed: give "
            f"{len(seats) - most} of them to enclaves of other vendors"
        )


def maker_of(vendor: str) -> str:
    """Give who makes enclaves of a kind; a vendor that nobody told us of counts for itself."""
    return MAKERS.get(vendor, vendor)


def seats_by_maker(vendors: Mapping[int, str]) -> Mapping[str, tuple[int, ...]]:
    """Give the seats that each maker vouches for, rising.

    Args:
        vendors: By seat: the `vendor` of its claims.
    """
    held: dict[str, list[int]] = {}
    for seat in sorted(vendors):
        held.setdefault(maker_of(vendors[seat]), []).append(seat)
    return {maker: tuple(seats) for maker, seats in held.items()}


def check_spread(vendors: Sequence[str], degree: int) -> None:
    """Raise if any maker vouches for more seats than a degree; seats count from 0.

    Args:
        vendors: Of each seat in order: the `vendor` of its claims.
        degree: Of the polynomial that shares the root: one more share is the key.

    Raises:
        VendorHoldsTooMuch: the maker that holds most; of several, the first seat's.
    """
    check_seats(dict(enumerate(vendors)), degree)


def check_seats(vendors: Mapping[int, str], degree: int) -> None:
    """Raise as `check_spread`, of seats by their numbers."""
    held = seats_by_maker(vendors)
    maker, seats = max(held.items(), key=lambda holder: len(holder[1]), default=("", ()))
    if len(seats) > degree:
        raise VendorHoldsTooMuch(maker, seats, degree)
