"""`keymoot net`: the network as its node shows it."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclopts import App

from keymoot.cli import settings
from keymoot.cli.options import Whole
from keymoot.cli.output import fail, fields, note, result, warn_simulated

OFTEN_ENDED = 3
"""From how many ends in ten minutes on an enclave counts as one that keeps ending."""

TURN_SECONDS = 120
"""How long `net turn` waits for the next epoch."""

app = App(name="net", help="The network itself.", help_format="markdown")


@app.command
def status(*, url: str | None = None, json: bool = False) -> None:
    """Show the network: who keeps its keys, who comes or goes, and who was caught cheating.

    Args:
        url: The Keymoot RPC.
        json: Print JSON, with the lists "nodes", "seats", "joining" and "cheats".
    """
    network = settings.network(url)
    identity = network.identity()
    told = network.call("keymoot_network")
    assembly = network.call("keymoot_assembly")
    nodes = [
        {
            "seat": node["seat"],
            "identityKey": node["identityKey"],
            "measurement": node["measurement"],
            "simulated": node["simulated"],
        }
        for node in told["nodes"]
    ]
    shown = {
        "network": identity.network.hex0x,
        "url": network.url,
        "chainId": identity.chain_id,
        "height": int(told["height"], 16),
        "version": told["version"],
        "development": told["development"],
        "simulated": identity.simulated,
    }
    lines = fields(shown | _storage_fields(assembly) | _moot_fields(assembly))
    seats = {seat["seat"]: seat for seat in assembly["seats"]}
    lines += [_seat_line(node["seat"], node, seats.get(node["seat"])) for node in nodes]
    there = {node["seat"] for node in nodes}
    lines += [_absent_line(seat) for at, seat in sorted(seats.items()) if at not in there]
    lines += [_joining_line(one) for one in assembly.get("joining", [])]
    lines += [
        f"named: seat {one['seat']} {one['what']}, at height {one['height']}"
        for one in assembly.get("cheats", [])
    ]
    warn_simulated(simulated=identity.simulated)
    result(shown | {"nodes": nodes} | _moot_json(assembly), lines, as_json=json)


@app.command
def turn(*, data: Path | None = None, url: str | None = None) -> None:
    """End the epoch now: the enclaves of the node on this machine vote for it.

    All roots are shared anew; their public keys, so every wallet's address, stay.

    Args:
        data: The node's data folder; default ~/.local/share/keymoot/network.
        url: The Keymoot RPC of that node, where the new epoch is awaited.
    """
    from keymoot.node.config import default_data
    from keymoot.node.control import ask

    network, folder = settings.network(url), data or default_data()
    if ask(folder, "network")["network"] != network.identity().network.hex0x:
        fail(
            f"the node on {folder} keeps another network than {network.url}: "
            "name its Keymoot RPC with --url or KEYMOOT_URL"
        )
    before = _epoch(network.call("keymoot_assembly"))
    ask(folder, "turn")
    note(f"epoch {before} is ending: sharing all roots anew")
    deadline, stage = time.monotonic() + TURN_SECONDS, ""
    while time.monotonic() < deadline:
        assembly = network.call("keymoot_assembly")
        if _epoch(assembly) > before:
            print(f"epoch {_epoch(assembly)} has begun")
            return
        if assembly["epoch"]["stage"] not in (stage, "living"):
            stage = assembly["epoch"]["stage"]
            note(_STAGES[stage])
        time.sleep(0.1)
    fail(f"epoch {before} still lives: see `keymoot net status`; the old shares serve on")


@app.command
def join(*, data: Path | None = None) -> None:
    """Start one more enclave on this machine; it joins with the end of the epoch.

    It takes the lowest vacant seat, all enclaves here invite it, and all roots are shared anew
    to the larger assembly. `keymoot net turn` ends the epoch now.

    Args:
        data: The node's data folder; default ~/.local/share/keymoot/network.
    """
    from keymoot.node.config import default_data
    from keymoot.node.control import ask

    told = ask(data or default_data(), "join")
    print(f"seat {told['seat']} joins with the end of the epoch: `keymoot net turn` ends it now")


@app.command
def leave(seat: Whole, /, *, data: Path | None = None) -> None:
    """Have a seat leave with the end of the epoch; its number is free for another one then.

    All roots are shared anew to those who stay, at least four. Its enclave ends after that, and
    its folder stays. `keymoot net turn` ends the epoch now.

    Args:
        seat: Its number, as `keymoot net status` shows it.
        data: The node's data folder; default ~/.local/share/keymoot/network.
    """
    from keymoot.node.config import default_data
    from keymoot.node.control import ask

    ask(data or default_data(), "leave", seat=seat)
    print(f"seat {seat} leaves with the end of the epoch: `keymoot net turn` ends it now")


_STAGES = {
    "dealing": "  dealing shares of shares",
    "verdicts": "  checking them",
    "holding": "  adding them up",
    "succession": "  signing who keeps the keys next",
}


def _epoch(assembly: Mapping[str, Any]) -> int:
    epoch = assembly.get("epoch")
    if epoch is None:
        fail("the assembly is still making its keys: try again in a moment")
    return int(epoch["number"])


def _storage_fields(assembly: Mapping[str, Any]) -> dict[str, Any]:
    storage = assembly.get("storage")
    if not storage:
        return {}
    return {
        "storage": f"TAKES NOTHING: {storage['what']} cannot be written: {storage['why']}. Reads are "
        f"answered, sends are refused, and it goes on by itself. To do: {storage['toDo']}"
    }


def _moot_fields(assembly: Mapping[str, Any]) -> dict[str, Any]:
    if not assembly.get("ready"):
        return {"keys": "still being made"}
    epoch, stock, roots = assembly["epoch"], assembly["stock"], assembly["roots"]
    ends = datetime.fromtimestamp(epoch["endsAt"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    generation = f"{assembly['recoveries']} ({assembly['generation'][:18]}…)"
    return {
        "keys": f"{len(assembly['seats'])} enclaves; any {roots['ecdsa']['sharesNeeded']} broken "
        f"ones hold the wallets' root, any {roots['eddsa']['sharesNeeded']} that of Solana's",
        "epoch": f"{epoch['number']}, since height {epoch['since']}, {epoch['stage']}, ends {ends}",
        "generation": generation if assembly["recoveries"] else "0",
        "stock": f"{stock['presignatures']} presignatures in {stock['batches']} batches, "
        f"nonces for {stock['ed25519']} Ed25519 signatures, "
        f"{stock['dealing']} being dealt; {stock['bound']} bound",
    }


def _moot_json(assembly: Mapping[str, Any]) -> dict[str, Any]:
    names = ("ready", "generation", "recoveries", "epoch", "stateKey", "stock", "roots", "seats")
    more = ("storage", "joining", "successions", "cheats")
    return {name: assembly[name] for name in (*names, *more) if name in assembly}


def _seat_line(at: int, node: Mapping[str, Any], seat: Mapping[str, Any] | None) -> str:
    line = f"seat {at}  {node['identityKey']}  runs {str(node['measurement'])[:18]}…"
    if seat is None:
        return line
    if seat["identityKey"] != node["identityKey"]:
        known = str(seat["identityKey"])[:18]
        return f"{line}  is not the enclave {known}… that the ledger knows: its folder was lost"
    how = f"since height {seat['since']}" if seat["seated"] else "not back yet"
    again = f", started {seat['restarts']} times anew" if seat["restarts"] else ""
    leaves = ", leaves with the epoch" if seat["leaving"] else ""
    dealing = ", deals no more" if seat["excluded"] else ""
    return f"{line}  {how}{again}{leaves}{dealing}{_health(seat)}"


def _absent_line(seat: Mapping[str, Any]) -> str:
    line = f"seat {seat['seat']}  {seat['identityKey']}  does not run here"
    return line + _health(seat)


def _health(seat: Mapping[str, Any]) -> str:
    """Say what is wrong with a seat's enclave; a node of an older version tells nothing."""
    health, found = seat.get("health") or {}, ""
    if health.get("silentSince"):
        found += f", HANGS: answers nothing since {_date(health['silentSince'])}"
    if health.get("downSince"):
        found += f", DOWN since {_date(health['downSince'])}"
    if health.get("endedLately", 0) >= OFTEN_ENDED:
        found += f", ended {health['endedLately']} times in ten minutes"
    if health.get("trouble"):
        found += f": {health['trouble']}"
    return found


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _joining_line(one: Mapping[str, Any]) -> str:
    how = "joins with the epoch's end" if one["admitted"] else "is being invited"
    return f"seat {one['seat']}  {one['identityKey']}  {how}"
