"""Who is to come and to go, as whoever runs the node has asked: kept until it is done.

A small file in the data folder, written whole, so that a restart forgets nothing.
"""

from dataclasses import dataclass, field
from pathlib import Path

from keymoot.base.errors import Malformed, Refused
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.enclave.whole_file import write_whole
from keymoot.threshold.committee import MAX_SIZE

FILE_NAME = "changes.json"
MAX_BYTES = 4_096


class ChangesDamaged(Refused, code="CHANGES_DAMAGED"):
    """The file holds something else."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path} is damaged ({why}): delete it, and ask again for who is to join or leave"
        )


@dataclass
class WantedSeats:
    """The seats that are to join and to leave."""

    path: Path
    joining: set[int] = field(default_factory=set)
    leaving: set[int] = field(default_factory=set)

    @classmethod
    def load(cls, data: Path) -> "WantedSeats":
        """Read what is kept in a data folder; nothing, if nothing is."""
        path = data / FILE_NAME
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return cls(path)
        try:
            fields = parse(raw[: MAX_BYTES + 1], MAX_BYTES)
            if not isinstance(fields, dict) or fields.keys() != {"joining", "leaving"}:
                raise Malformed("it has other fields")
            return cls(path, _seats(fields["joining"]), _seats(fields["leaving"]))
        except Malformed as error:
            raise ChangesDamaged(path, str(error)) from error

    def keep(self, joining: set[int], leaving: set[int]) -> None:
        """Want something else from now on, on disk first."""
        if (joining, leaving) == (self.joining, self.leaving):
            return
        raw = canonical({"joining": [*sorted(joining)], "leaving": [*sorted(leaving)]})
        write_whole(self.path, raw)
        self.joining, self.leaving = joining, leaving


def _seats(value: Json) -> set[int]:
    if not isinstance(value, list):
        raise Malformed("seats are a list of numbers")
    seats = {seat for seat in value if isinstance(seat, int) and not isinstance(seat, bool)}
    if len(seats) != len(value) or not all(1 <= seat <= MAX_SIZE for seat in seats):
        raise Malformed(f"seats are different numbers from 1 to {MAX_SIZE}")
    return seats
