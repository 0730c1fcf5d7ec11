"""`keymoot app lists`: what Intel and AMD publish, brought to the ledger by anyone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App, Parameter

from keymoot.cli import settings
from keymoot.cli.options import ActingOwner
from keymoot.cli.output import fail, note, result
from keymoot.cli.request_files import bytes_of

if TYPE_CHECKING:
    from keymoot.agent.network import Network
    from keymoot.agent.published import Published

app = App(
    name="lists",
    help="Intel's lists and AMD's certificates: without them no TDX, SGX or SNP instance is let in.",
    help_format="markdown",
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """What is asked for over HTTPS, and where.

    Attributes:
        fetch: Ask the vendor's service: TDX:90C06F000000 for a kind of Intel's machines, SNP:MILAN
            for a line of AMD's, SNP:MILAN:VLEK for keys of clouds there; may be repeated.
        service: Ask a cache of the vendor's service instead: its address, https://….
        ca: Who signed the machines' keys: platform, or processor (SGX alone).
    """

    fetch: list[str] | None = None
    service: str | None = None
    ca: str = "platform"


NOTHING = Fetching()


@app.command
def show(
    files: list[Path] | None = None,
    /,
    *,
    fetching: Fetching = NOTHING,
    url: str | None = None,
    json: bool = False,
) -> None:
    """Show what lists are for, until when they hold, and what the ledger has; send nothing.

    Args:
        files: Intel's lists, as JSON that `dcap-qvl` and caching services save, one kind of machine
            in each. AMD's certificates of a line (PEM or DER) and its list of revoked keys (DER),
            in any order.
        url: The Keymoot RPC.
        json: Print the result as JSON.
    """
    network = settings.network(url)
    wanted = _wanted(files, fetching)
    shown = [_shown(network, name, published) for name, published in wanted]
    result({"lists": shown}, [line for entry in shown for line in _lines(entry)], as_json=json)


@app.command
def post(
    files: list[Path] | None = None,
    /,
    *,
    by: ActingOwner,
    fetching: Fetching = NOTHING,
    json: bool = False,
) -> None:
    """Post what a vendor publishes; it is checked here and on the ledger, so anyone may.

    What the ledger has already is not sent again; what is older than that is refused. Once a list
    of AMD's revoked keys is posted for a line, it has to be renewed before it ends.

    Args:
        files: Intel's lists, as JSON that `dcap-qvl` and caching services save, one kind of machine
            in each. AMD's certificates of a line (PEM or DER) and its list of revoked keys (DER),
            in any order.
        json: Print the result as JSON.
    """
    from keymoot.agent.app_admin import AppAdmin
    from keymoot.contracts.builtin.apps.errors import ListsOlder

    network = settings.network(by.url)
    wanted = _wanted(files, fetching)
    shown = [_shown(network, name, published) for name, published in wanted]
    for entry in shown:
        # All are looked at before one is paid for.
        if not entry["admits"]:
            fail(f"{entry['name']}: {entry['ends']} ended or begins later: fetch newer lists")
        if entry["older"]:
            fail(f"{entry['name']}: {ListsOlder.message}")
    key = settings.key_of(by.owner, by.password_file)
    for entry, (_, published) in zip(shown, wanted, strict=True):
        if entry["same"]:
            note(f"{entry['name']}: the ledger has these already")
            continue
        settings.provide(AppAdmin(network, key), 0)
        entry["height"] = published.send(network, key).height
    result({"lists": shown}, [line for entry in shown for line in _lines(entry)], as_json=json)


def _wanted(files: list[Path] | None, fetching: Fetching) -> "list[tuple[str, Published]]":
    wanted = _read(files or ())
    wanted += [(asked, _fetched(asked, fetching)) for asked in fetching.fetch or ()]
    if not wanted:
        fail(
            "name files with what Intel or AMD publishes, or --fetch TDX:FMSPC (LISTS_MISSING names "
            "the FMSPC) or SNP:MILAN"
        )
    return wanted


def _fetched(asked: str, fetching: Fetching) -> "Published":
    from keymoot.agent import amd_service, https, intel_service
    from keymoot.agent.published import AmdPublished, IntelPublished
    from keymoot.base.errors import Malformed

    kind, _, which = asked.upper().partition(":")
    get = https.https_get
    try:
        if kind == "SNP":
            line, _, keys = which.partition(":")
            at = fetching.service or amd_service.SERVICE
            return AmdPublished(amd_service.fetch_amd_chain(line, keys or "VCEK", get, at))
        at = fetching.service or intel_service.SERVICE
        return IntelPublished(intel_service.fetch_intel_lists(kind, which, get, at, fetching.ca))
    except Malformed as error:
        fail(f"--fetch {asked}: {error}")


def _read(paths: Iterable[Path]) -> "list[tuple[str, Published]]":
    from keymoot.agent.amd_files import read_amd_chains
    from keymoot.agent.published import AmdPublished, IntelPublished
    from keymoot.attest.dcap import MAX_COLLATERAL_BYTES, DcapCollateral
    from keymoot.base.errors import Malformed

    wanted: list[tuple[str, Published]] = []
    amds: dict[str, bytes] = {}
    for path in paths:
        content = bytes_of(path, MAX_COLLATERAL_BYTES)
        try:
            if content.lstrip()[:1] == b"{":
                wanted.append((str(path), IntelPublished(DcapCollateral.of_json(content))))
            else:
                amds[str(path)] = content
        except Malformed as error:
            fail(f"{path} is no collateral as dcap-qvl saves it: {error}")
    try:
        return wanted + [(name, AmdPublished(chain)) for name, chain in read_amd_chains(amds)]
    except Malformed as error:
        fail(str(error))


def _shown(network: "Network", name: str, published: "Published") -> dict[str, Any]:
    """Say what it is good for, beside what the ledger has; it is checked as there."""
    from keymoot.attest.collateral import standing_of
    from keymoot.base.errors import KeymootError

    try:
        there, now = published.posted(network)
        parts = published.validity()
        standing, worst = standing_of(parts, now)
        if standing.admits:
            published.check(now)
        first = min(parts, key=lambda part: part.until)
        return {
            "name": name,
            "vendor": published.vendor,
            "machines": published.machines,
            "revoked": published.revokes,
            "since": max(part.since for part in parts),
            "until": first.until,
            "ends": first.what if standing.admits else worst,
            "standing": standing.name,
            "admits": standing.admits,
            "ledger": None if there is None else _of_ledger(there, now),
            "same": there == published,
            "older": there is not None and published.is_older(there),
            "height": None,
        }
    except KeymootError as error:
        fail(f"{name}: {error}")


def _of_ledger(there: "Published", now: int) -> dict[str, Any]:
    from keymoot.attest.collateral import standing_of
    from keymoot.base.units import UnixSeconds

    parts = there.validity()
    return {
        "standing": standing_of(parts, UnixSeconds(now))[0].name,
        "until": min(part.until for part in parts),
        "revoked": there.revokes,
    }


def _lines(entry: dict[str, Any]) -> list[str]:
    there, height = entry["ledger"], entry["height"]
    has = "nothing" if there is None else f"lists until {_day(there['until'])}, {there['standing']}"
    if entry["same"]:
        has = "these very lists"
    dates = f"hold from {_day(entry['since'])} until {_day(entry['until'])}"
    posted = f"; posted at height {height}" if height else ""
    return [
        f"{entry['name']}: {_called(entry)}",
        f"  {dates}, {entry['standing']}: {entry['ends']} ends first",
        f"  the ledger {'had' if height else 'has'} {has}{posted}",
    ]


def _called(entry: dict[str, Any]) -> str:
    if entry["vendor"] == "Intel":
        return f"Intel's lists for {entry['machines']}"
    keys = "with its list of revoked keys" if entry["revoked"] else "without a list of revoked keys"
    return f"AMD's certificates of {entry['machines']}, {keys}"


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
