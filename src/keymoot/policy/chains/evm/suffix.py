"""Tags that agent platforms append to calldata: the few bytes that a rule may allow behind it.

A contract that is compiled by Solidity or Vyper looks at its arguments only, so a tag changes
nothing; a policy cannot know whether one reads its calldata to the end. ERC-8021 (schema 0)
writes

    codes ‖ their length (1 byte) ‖ 0x00 ‖ 0x8021 eight times

where the codes are names in ASCII, with commas between. No encoding of arguments is the start
of another one of the same types, so what stands before a tag has one reading at most.
"""

import re
from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.hexes import parse_data
from keymoot.base.strict_json import Json
from keymoot.policy.errors import BadPolicy

ERC8021 = "erc8021"

MAX_SUFFIX_BYTES = 128
MAX_SUFFIXES = 4
"""Different tags that the rules of one policy allow: a DENY reads behind each of them."""

_MARKER = b"\x80\x21" * 8
_SCHEMA_0 = b"\x00"
_AROUND_CODES = 1 + len(_SCHEMA_0) + len(_MARKER)
_CODES = re.compile(rb"[A-Za-z0-9._-]{1,32}(?:,[A-Za-z0-9._-]{1,32})*")


@dataclass(frozen=True, slots=True)
class Suffix:
    """What may stand behind calldata: `exact` bytes, or (None) a tag of ERC-8021."""

    exact: bytes | None

    def length(self, data: bytes) -> int:
        """Count the bytes at the end of `data` that are this tag; 0 where it ends otherwise."""
        if self.exact is not None:
            return len(self.exact) if data.endswith(self.exact) else 0
        return 0 if erc8021_codes(data) is None else _AROUND_CODES + data[-_AROUND_CODES]

    @property
    def wanted(self) -> str:
        return ERC8021 if self.exact is None else "0x" + self.exact.hex()

    def shown(self, data: bytes) -> str:
        """Write the tag with which `data` ends for people."""
        return self.wanted if self.exact is not None else f"{ERC8021} {erc8021_codes(data)}"


def erc8021_codes(data: bytes) -> str | None:
    """Give the codes of the ERC-8021 tag with which `data` ends, or None."""
    if len(data) < _AROUND_CODES or not data.endswith(_SCHEMA_0 + _MARKER):
        return None
    length = data[-_AROUND_CODES]
    if not 0 < length <= MAX_SUFFIX_BYTES - _AROUND_CODES:
        return None
    codes = data[:-_AROUND_CODES][-length:]
    whole = len(codes) == length and _CODES.fullmatch(codes) is not None
    return codes.decode("ascii") if whole else None


def parse_suffix(json: Json, path: str) -> Suffix:
    """Read the tag that a rule allows: "erc8021", or 1 to 128 bytes in hex."""
    if json == ERC8021:
        return Suffix(None)
    try:
        exact = parse_data(json, path)
    except Malformed as error:
        raise BadPolicy(f'a suffix is "{ERC8021}", or its bytes as "0x…"', path) from error
    if not 0 < len(exact) <= MAX_SUFFIX_BYTES:
        raise BadPolicy(f"a suffix has 1 to {MAX_SUFFIX_BYTES} bytes", path)
    return Suffix(exact)
