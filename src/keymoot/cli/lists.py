"""`keymoot app lists`: what Intel publishes of its machines, brought to the ledger by anyone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli import settings
from keymoot.cli.options import ActingOwner
from keymoot.cli.output import fail, note, result

if TYPE_CHECKING:
    from keymoot.agent.network import Network
    from keymoot.attest.dcap import DcapCollateral

app = App(
    name="lists",
    help="Intel's lists on the ledger: without them no TDX or SGX instance is let in.",
    help_format="markdown",
)


@app.command
def show(
    files: list[Path] | None = None,
    /,
    *,
    fetch: list[str] | None = None,
    service: str | None = None,
    ca: str = "platform",
    url: str | None = None,
    json: bool = False,
) -> None:
    """Show what lists are for, until when they hold, and what the ledger has; send nothing.

    Args:
        files: JSON as `dcap-qvl` and caching services save it, one kind of machine in each.
        fetch: Ask Intel's service for a kind of machine, as TDX:90C06F000000; may be repeated.
        service: Ask a cache of Intel's service instead: its address, https://….
        ca: Who signed the machines' keys: platform, or processor (SGX alone).
        url: The Keymoot RPC.
        json: Print the result as JSON.
    """
    network = settings.network(url)
    wanted = _wanted(files, fetch, service, ca)
    shown = [_shown(network, name, lists) for name, lists in wanted]
    result({"lists": shown}, [line for entry in shown for line in _lines(entry)], as_json=json)


@app.command
def post(
    files: list[Path] | None = None,
    /,
    *,
    by: ActingOwner,
    fetch: list[str] | None = None,
    service: str | None = None,
    ca: str = "platform",
    json: bool = False,
) -> None:
    """Post lists of Intel's; they are checked here and on the ledger, so anyone may.

    What the ledger has already is not sent again; what is older than that is refused.

    Args:
        files: JSON as `dcap-qvl` and caching services save it, one kind of machine in each.
        fetch: Ask Intel's service for a kind of machine, as TDX:90C06F000000; may be repeated.
        service: Ask a cache of Intel's service instead: its address, https://….
        ca: Who signed the machines' keys: platform, or processor (SGX alone).
        json: Print the result as JSON.
    """
    from keymoot.agent.app_admin import AppAdmin
    from keymoot.agent.vendor_lists import send_intel_lists
    from keymoot.contracts.builtin.apps.errors import ListsOlder

    network = settings.network(by.url)
    wanted = _wanted(files, fetch, service, ca)
    shown = [_shown(network, name, lists) for name, lists in wanted]
    for entry in shown:
        # All are looked at before one is paid for.
        if not entry["admits"]:
            fail(f"{entry['name']}: {entry['ends']} ended or begins later: fetch newer lists")
        if entry["older"]:
            fail(f"{entry['name']}: {ListsOlder.message}")
    key = settings.key_of(by.owner, by.password_file)
    for entry, (_, lists) in zip(shown, wanted, strict=True):
        if entry["same"]:
            note(f"{entry['name']}: the ledger has these already")
            continue
        settings.provide(AppAdmin(network, key), 0)
        entry["height"] = send_intel_lists(network, key, lists).height
    result({"lists": shown}, [line for entry in shown for line in _lines(entry)], as_json=json)


def _wanted(
    files: list[Path] | None, fetch: list[str] | None, service: str | None, ca: str
) -> "list[tuple[str, DcapCollateral]]":
    from keymoot.agent.intel_service import SERVICE, fetch_intel_lists, https_get
    from keymoot.base.errors import Malformed

    wanted = [(str(path), _read(path)) for path in files or ()]
    for machine in fetch or ():
        kind, _, fmspc = machine.upper().partition(":")
        try:
            lists = fetch_intel_lists(kind, fmspc, https_get, service or SERVICE, ca)
        except Malformed as error:
            fail(f"--fetch {machine}: {error}")
        wanted.append((machine, lists))
    if not wanted:
        fail("name files with Intel's lists, or --fetch TDX:FMSPC: LISTS_MISSING names the FMSPC")
    return wanted


def _read(path: Path) -> "DcapCollateral":
    from keymoot.attest.dcap import MAX_COLLATERAL_BYTES, DcapCollateral
    from keymoot.base.errors import Malformed

    try:
        with path.open("rb") as file:
            return DcapCollateral.of_json(file.read(MAX_COLLATERAL_BYTES + 1))
    except OSError as error:
        fail(f"{path} cannot be read ({error.strerror}): name a file that can")
    except Malformed as error:
        fail(f"{path} is no collateral as dcap-qvl saves it: {error}")


def _shown(network: "Network", name: str, lists: "DcapCollateral") -> dict[str, Any]:
    """Say what lists are good for, beside what the ledger has; they are checked as it would."""
    from keymoot.agent.vendor_lists import check_intel_lists, posted_intel_lists
    from keymoot.attest.collateral import standing_of
    from keymoot.base.errors import KeymootError

    try:
        machines = lists.machines
        there, now = posted_intel_lists(network, *machines)
        parts = lists.validity()
        standing, worst = standing_of(parts, now)
        if standing.admits:
            check_intel_lists(lists, now)
        first = min(parts, key=lambda part: part.until)
        return {
            "name": name,
            "machines": " ".join(machines),
            "since": max(part.since for part in parts),
            "until": first.until,
            "ends": first.what if standing.admits else worst,
            "standing": standing.name,
            "admits": standing.admits,
            "ledger": None if there is None else _of_ledger(there, now),
            "same": there == lists,
            "older": there is not None and lists.is_older(there),
            "height": None,
        }
    except KeymootError as error:
        fail(f"{name}: {error}")


def _of_ledger(lists: "DcapCollateral", now: int) -> dict[str, Any]:
    from keymoot.attest.collateral import standing_of
    from keymoot.base.units import UnixSeconds

    parts = lists.validity()
    return {
        "standing": standing_of(parts, UnixSeconds(now))[0].name,
        "until": min(part.until for part in parts),
    }


def _lines(entry: dict[str, Any]) -> list[str]:
    there, height = entry["ledger"], entry["height"]
    has = "nothing" if there is None else f"lists until {_day(there['until'])}, {there['standing']}"
    if entry["same"]:
        has = "these very lists"
    dates = f"hold from {_day(entry['since'])} until {_day(entry['until'])}"
    posted = f"; posted at height {height}" if height else ""
    return [
        f"{entry['name']}: Intel's lists for {entry['machines']}",
        f"  {dates}, {entry['standing']}: {entry['ends']} ends first",
        f"  the ledger {'had' if height else 'has'} {has}{posted}",
    ]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
