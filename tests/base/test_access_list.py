"""An access list as clients give it: read in one form, and told where it is none."""

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.hexes import parse_data
from keymoot.base.transaction import MAX_ITEMS, AccessEntry, read_access_list

ADDRESS, SLOT = "0x" + "ab" * 20, "0x" + "cd" * 32
ENTRY = {"address": ADDRESS, "storageKeys": [SLOT, SLOT]}


def read(given: object) -> tuple[AccessEntry, ...]:
    return read_access_list(
        given,
        lambda text, path: Address(parse_data(text, path)),
        lambda text, path: Bytes32(parse_data(text, path)),
    )


def test_gives_what_it_writes() -> None:
    entries = read([ENTRY, {"address": ADDRESS, "storageKeys": []}])
    assert [entry.to_json() for entry in entries] == [ENTRY, ENTRY | {"storageKeys": []}]
    assert read([]) == ()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("none", "accessList"),
        ([ADDRESS], "accessList[0]"),
        ([{"address": ADDRESS}], "accessList[0]"),
        ([ENTRY | {"more": 1}], "accessList[0]"),
        ([ENTRY | {"storageKeys": "0x"}], "accessList[0].storageKeys"),
        ([ENTRY, ENTRY | {"storageKeys": [SLOT, 7]}], "accessList[1].storageKeys[1]"),
        ([ENTRY | {"address": 7}], "accessList[0].address"),
    ],
)
def test_says_where_it_is_none(given: object, path: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(given)
    assert refused.value.path == path


def test_reads_so_much_and_no_more() -> None:
    """Each entry counts as its list, its address and its slots, as in a transaction."""
    whole = {"address": ADDRESS, "storageKeys": [SLOT] * (MAX_ITEMS - 2)}
    assert len(read([whole])[0].slots) == MAX_ITEMS - 2
    with pytest.raises(Malformed, match="at most"):
        read([whole | {"storageKeys": [SLOT] * (MAX_ITEMS - 1)}])
