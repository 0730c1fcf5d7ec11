"""What a file demands of a new network's nodes: whose evidence counts, and how makers are mixed.

    {"vendors": ["nitro", "snp", "tdx"], "mostPerMaker": 2,
     "measurements": ["0x…"],
     "tcbStatuses": ["UpToDate"], "advisories": [], "tcbParts": {"snp": 23}, "chips": ["0x…"],
     "amdChains": [{"signer": "ask.der", "root": "ark.der", "revoked": "crl.der"}],
     "intelLists": ["lists.json"]}

All may be left out; files are looked for beside it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from keymoot.cli.output import fail
from keymoot.cli.request_files import bytes_of, fields_of

if TYPE_CHECKING:
    from keymoot.base.fixed import Measurement
    from keymoot.committee.genesis import NodeAdmission

T = TypeVar("T")

_FIELDS = frozenset(
    {
        *("vendors", "mostPerMaker", "measurements", "tcbStatuses", "advisories", "tcbParts"),
        *("chips", "amdChains", "intelLists"),
    }
)
_WANTED = "no demands of nodes: a JSON object of vendors, mostPerMaker, measurements and others"


def read_admission(file: Path) -> "tuple[NodeAdmission, tuple[Measurement, ...]]":
    """Give what a file demands, and what code may keep keys beside the one that runs here."""
    from keymoot.attest.machines import MachineDemands
    from keymoot.base.errors import Malformed
    from keymoot.base.fixed import Measurement
    from keymoot.base.hexes import parse_data
    from keymoot.committee.attestation import NodeDemands
    from keymoot.committee.genesis import NodeAdmission

    told = fields_of(file, _WANTED)
    if unknown := sorted(told.keys() - _FIELDS):
        fail(f"{file} has {unknown[0]!r}: known are {', '.join(sorted(_FIELDS))}")
    beside = file.parent
    usual = MachineDemands()
    try:
        machines = MachineDemands(
            tuple(sorted(_words(told, "tcbStatuses", usual.tcb_statuses))),
            tuple(sorted(_words(told, "advisories", ()))),
            _numbers(told, "tcbParts"),
            tuple(sorted(parse_data(chip, "chips", 64) for chip in _words(told, "chips", ()))),
        )
        most = told.get("mostPerMaker", 0)
        if type(most) is not int:
            raise Malformed("a number of seats was expected", "mostPerMaker")
        demands = NodeDemands(tuple(sorted(_words(told, "vendors", ()))), machines, most)
        chains = tuple(_amd_chain(beside, chain) for chain in _list(told, "amdChains"))
        lists = tuple(_intel_lists(beside / name) for name in _words(told, "intelLists", ()))
        admission = NodeAdmission(demands, chains, lists)
        admission.encode()
        codes = _words(told, "measurements", ())
        return admission, tuple(Measurement.from_hex(code) for code in codes)
    except Malformed as error:
        fail(f"{file}: {error}")


def _list(told: Mapping[str, Any], name: str) -> list[Any]:
    from keymoot.base.errors import Malformed

    value = told.get(name, [])
    if not isinstance(value, list):
        raise Malformed("a list was expected", name)
    return value


def _words(told: Mapping[str, Any], name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    from keymoot.base.errors import Malformed

    if name not in told:
        return usual
    value = _list(told, name)
    if not all(isinstance(word, str) for word in value):
        raise Malformed("a list of texts was expected", name)
    return tuple(value)


def _numbers(told: Mapping[str, Any], name: str) -> dict[str, int]:
    from keymoot.base.errors import Malformed

    value = told.get(name, {})
    if not isinstance(value, dict) or any(type(number) is not int for number in value.values()):
        raise Malformed("an object of whole numbers was expected", name)
    return value


def _amd_chain(beside: Path, told: Any) -> bytes:
    from keymoot.attest.snp import MAX_CHAIN_BYTES, AmdChain
    from keymoot.base.errors import Malformed

    names = ("signer", "root", "revoked")
    known = isinstance(told, dict) and {"signer", "root"} <= told.keys() <= {*names}
    if not known or not all(isinstance(name, str) for name in told.values()):
        raise Malformed("an object of signer, root and maybe revoked was expected", "amdChains")
    parts = [
        _read(beside / told[name], MAX_CHAIN_BYTES, bytes) if name in told else b""
        for name in names
    ]
    return AmdChain(*parts).encode()


def _intel_lists(path: Path) -> bytes:
    from keymoot.attest.dcap import MAX_COLLATERAL_BYTES, DcapCollateral

    return _read(path, MAX_COLLATERAL_BYTES, DcapCollateral.of_json).encode()


def _read(path: Path, most: int, read: Callable[[bytes], T]) -> T:
    from keymoot.base.errors import Malformed

    try:
        return read(bytes_of(path, most))
    except Malformed as error:
        fail(f"{path}: {error}")
