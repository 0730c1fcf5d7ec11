"""`keymoot net`: the network as its node shows it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli import settings
from keymoot.cli.options import NotNegative, Whole
from keymoot.cli.output import fields, result, warn_simulated
from keymoot.cli.waiting import (
    Here,
    PendingChange,
    Standing,
    join_progress,
    leave_progress,
    turn_progress,
)

if TYPE_CHECKING:
    from keymoot.agent.network import Network
    from keymoot.committee.attestation import Attestation

OFTEN_ENDED = 3
"""From how many ends in ten minutes on an enclave counts as one that keeps ending."""

TURN_SECONDS = 120
"""How long `net turn` waits for the next epoch: each stage waits ten seconds for the silent."""

WAIT_SECONDS = 60
"""How long `net join` and `net leave` wait for the ledger to take it."""

_HERE = Here()

app = App(name="net", help="The network itself.", help_format="markdown")


@app.command
def status(*, url: str | None = None, json: bool = False) -> None:
    """Show the network: who keeps its keys, who comes or goes, and who was caught cheating.

    Who the members are is proved under the network's verifying key; how they fare is the
    node's own word.

    Args:
        url: The Keymoot RPC.
        json: Print JSON, with the lists "nodes", "seats", "joining" and "cheats", and
            "proved": verifying key, block, identity keys and who vouched for each seat.
    """
    network = settings.network(url)
    identity = network.identity()
    told = network.call("keymoot_network")
    committee = network.call("keymoot_assembly")
    names = ("seat", "identityKey", "measurement", "simulated")
    nodes = [{name: node[name] for name in names} for node in told["nodes"]]
    shown = {
        "network": identity.network.hex0x,
        "url": network.url,
        "chainId": identity.chain_id,
        "height": int(told["height"], 16),
        "version": told["version"],
        "development": told["development"],
        "simulated": identity.simulated,
        "admits": _admits(identity.attestation),
    }
    proved = _proved(network) if committee.get("ready") else None
    seats = {seat["seat"]: seat for seat in committee["seats"]}
    lines = fields(
        shown | _proved_fields(proved, seats) | _storage_fields(committee) | _moot_fields(committee)
    )
    lines += [_seat_line(node["seat"], node, seats.get(node["seat"])) for node in nodes]
    there = {node["seat"] for node in nodes}
    lines += [_absent_line(seat) for at, seat in sorted(seats.items()) if at not in there]
    lines += [_joining_line(joiner) for joiner in committee.get("joining", [])]
    lines += [
        f"named: seat {cheat['seat']} {cheat['what']}, at height {cheat['height']}"
        for cheat in committee.get("cheats", [])
    ]
    warn_simulated(simulated=identity.simulated)
    more = {"nodes": nodes, "proved": proved}
    result(shown | more | _moot_json(committee), lines, as_json=json)


@app.command
def turn(*, here: Here = _HERE, wait: NotNegative = TURN_SECONDS) -> None:
    """End the epoch now: the enclaves of the node on this machine vote for it.

    All roots are shared anew; their public keys, so every wallet's address, stay. It needs the
    votes of all members but those that may fail; an enclave that does not answer is waited for,
    not long, and the others go on without it.

    Exits with 0 once the next epoch has begun, with 75 when it has not in time and still may,
    with 1 when it was refused.

    Args:
        here: Which node.
        wait: Seconds to wait for the next epoch.
    """
    waiting = PendingChange("turn", here, wait)
    try:
        waiting.check_network()
        epoch = waiting.standing()["epoch"]
        before, failed = epoch["number"], epoch["failedAttempts"]
        waiting.tell(epoch=before)
        waiting.ask("turn", epoch=before)
        waiting.goes_on = (
            "votes that the ledger has stand until the epoch ends; the old shares serve on"
        )

        def again(standing: Standing) -> None:
            # Votes are forgotten with an attempt that fails, and by enclaves that start anew.
            if standing["epoch"]["number"] == before and standing["epoch"]["stage"] == "living":
                waiting.ask("turn", epoch=before)

        waiting.until(lambda standing: turn_progress(standing, before, failed), again)
    except KeyboardInterrupt:
        waiting.stopped()


@app.command
def join(*, here: Here = _HERE, wait: NotNegative = WAIT_SECONDS) -> None:
    """Start one more enclave on this machine; it joins with the end of the epoch.

    It takes the lowest vacant seat, and all enclaves here invite it. Once admitted it gets the
    state secret and executes blocks; with the epoch's end all roots are shared anew to the
    larger committee. `keymoot net turn` ends the epoch now.

    Exits with 0 once the ledger has admitted it, with 75 when it has not in time and still may,
    with 1 when it was refused.

    Args:
        here: Which node.
        wait: Seconds to wait until the ledger has admitted it.
    """
    waiting = PendingChange("join", here, wait)
    try:
        waiting.check_network()
        waiting.goes_on = "the node may have taken it: see `keymoot net status`"
        seat = int(waiting.ask("join")["seat"])
        waiting.tell(seat=seat)
        waiting.goes_on = (
            f"the node goes on having seat {seat} invited; `keymoot net leave {seat}` ends that"
        )
        waiting.until(lambda standing: join_progress(standing, seat))
    except KeyboardInterrupt:
        waiting.stopped()


@app.command
def leave(seat: Whole, /, *, here: Here = _HERE, wait: NotNegative = WAIT_SECONDS) -> None:
    """Have a seat leave with the end of the epoch; its number is free for another one then.

    All roots are shared anew to those who stay, at least four. Its enclave ends after that, and
    its folder stays. A seat whose folder is lost has no word of its own: the votes of all
    members but those that may fail put it out. A newcomer that is not admitted yet stays out.
    `keymoot net turn` ends the epoch now.

    Exits with 0 once the ledger has it that the seat leaves, with 75 when it has not in time
    and still may, with 1 when it was refused.

    Args:
        seat: Its number, as `keymoot net status` shows it.
        here: Which node.
        wait: Seconds to wait until the ledger has it.
    """
    waiting = PendingChange("leave", here, wait)
    waiting.tell(seat=seat)
    try:
        waiting.check_network()
        waiting.goes_on = "the node may have taken it: see `keymoot net status`"
        waiting.ask("leave", seat=seat)
        waiting.goes_on = f"the node goes on having seat {seat} put out"
        waiting.until(lambda standing: leave_progress(standing, seat))
    except KeyboardInterrupt:
        waiting.stopped()


@app.command
def fingerprint(*, url: str | None = None, json: bool = False) -> None:
    """Show what people compare, so that both speak to one network: of its id and verifying key.

    The first use of a URL pins the network that answers there. Ask whoever runs it, or who granted
    your credential, for theirs, on another way than through that network. `KEYMOOT_FINGERPRINT`
    makes every command insist on one.

    Args:
        url: The Keymoot RPC.
        json: Print JSON.
    """
    network = settings.network(url)
    identity, anchor = network.identity(), network.anchor()
    shown = {
        "fingerprint": anchor.fingerprint,
        "network": identity.network.hex0x,
        "verifyingKey": "0x" + anchor.verifying_key.hex(),
        "url": network.url,
    }
    # The header's certificate is checked under the key: it is of a network that works.
    network.committee()
    result(shown, fields(shown), as_json=json)


@app.command
def forget(url: str, /, *, json: bool = False) -> None:
    """Forget which network is pinned for a URL; the next one that answers there is pinned.

    Only if you know why there is another one now, as after `keymoot up` with a new folder.

    Args:
        url: The Keymoot RPC, as it was named.
        json: Print JSON.
    """
    from keymoot.cli import known

    forgotten = known.forget(settings.config_folder(), url)
    shown = {"fingerprint": forgotten.fingerprint, "network": forgotten.network.hex0x, "url": url}
    result(shown, [f"forgot {forgotten.fingerprint} at {url}"], as_json=json)


@app.command(name="accept-recovery")
def accept_recovery(file: Path, /, *, json: bool = False) -> None:
    """Forget the newest block seen, so that a network recovered from before it is followed.

    Only after those who run the network have told you of the recovery, not by the network's own
    word: what was certified between is undone, signatures that left are not. The next block that
    the network shows and has certified is the first one that is believed again.

    Args:
        file: The file that the error has named.
        json: Print JSON.
    """
    from keymoot.agent.seen import forget

    seen = forget(file)
    shown = {
        "network": seen.network.hex0x,
        "height": seen.header.height,
        "hash": seen.header.hash.hex0x,
        "time": seen.header.time,
    }
    line = (
        f"forgot block {seen.header.height} of {_date(seen.header.time)} ({seen.header.hash.hex0x})"
    )
    result(shown, [line], as_json=json)


def _proved(network: "Network") -> dict[str, Any] | None:
    """Give what of the members is proved; None while the network is being founded."""
    from keymoot.agent.errors import NetworkRefused

    try:
        committee = network.committee()
    except NetworkRefused:
        return None
    return {
        "verifyingKey": "0x" + network.anchor().verifying_key.hex(),
        "height": committee.header.height,
        "time": committee.header.time,
        "generation": committee.header.generation.hex0x,
        "members": {str(at): identity.hex0x for at, identity in committee.identities.items()},
        "vendors": {str(at): vendor for at, vendor in committee.vendors.items()},
    }


def _proved_fields(
    proved: Mapping[str, Any] | None, seats: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    if proved is None:
        return {"proved": "nothing yet: the network is being founded"}
    told = {str(at): seat["identityKey"] for at, seat in seats.items()}
    # a node of an older version tells no vendors
    vouched = {
        str(at): seat.get("vendor", proved["vendors"].get(str(at))) for at, seat in seats.items()
    }
    height = proved["height"]
    agrees = f"the members below, by block {height} of {_date(proved['time'])}"
    differs = f"OTHER members than the node tells of, by block {height}: see --json"
    return {
        "verifyingKey": proved["verifyingKey"],
        "proved": agrees if (told, vouched) == (proved["members"], proved["vendors"]) else differs,
        "makers": _makers(proved["vendors"]),
    }


def _admits(attestation: "Attestation") -> str:
    """Say whose evidence lets a node in, as the genesis has it."""
    whose = f"evidence of {', '.join(attestation.vendors) or 'nobody'}"
    most = attestation.demands.most_per_maker
    if not most:
        return whose
    return f"{whose}; of one maker at most {most} seats, and never enough for a key"


def _makers(vendors: Mapping[str, str]) -> str:
    """Say how many seats each maker of enclaves vouched for."""
    from keymoot.attest.quorum import seats_by_maker

    held = seats_by_maker({int(at): vendor for at, vendor in vendors.items()})
    return ", ".join(f"{maker}: {len(seats)}" for maker, seats in sorted(held.items()))


def _storage_fields(committee: Mapping[str, Any]) -> dict[str, Any]:
    storage = committee.get("storage")
    if not storage:
        return {}
    return {
        "storage": f"TAKES NOTHING: {storage['what']} cannot be written: {storage['why']}. Reads are "
        f"answered, sends are refused, and it goes on by itself. To do: {storage['toDo']}"
    }


def _moot_fields(committee: Mapping[str, Any]) -> dict[str, Any]:
    if not committee.get("ready"):
        return {"keys": "still being made"}
    epoch, stock, roots = committee["epoch"], committee["stock"], committee["roots"]
    ends = datetime.fromtimestamp(epoch["endsAt"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    generation = f"{committee['recoveries']} ({committee['generation'][:18]}…)"
    return {
        "keys": f"{len(committee['seats'])} enclaves; any {roots['ecdsa']['sharesNeeded']} broken "
        f"ones hold the wallets' root, any {roots['eddsa']['sharesNeeded']} that of Solana's",
        "epoch": f"{epoch['number']}, since height {epoch['since']}, {epoch['stage']}, ends {ends}",
        "generation": generation if committee["recoveries"] else "0",
        "stock": f"{stock['presignatures']} presignatures in {stock['batches']} batches, "
        f"nonces for {stock['ed25519']} Ed25519 signatures, "
        f"{stock['dealing']} being dealt; {stock['bound']} bound",
    }


def _moot_json(committee: Mapping[str, Any]) -> dict[str, Any]:
    names = ("ready", "generation", "recoveries", "epoch", "stateKey", "stock", "roots", "seats")
    more = ("storage", "joining", "cheats")
    told = {name: committee[name] for name in (*names, *more) if name in committee}
    seats = [seat | ({"maker": _maker(seat)} if "maker" in seat else {}) for seat in told["seats"]]
    return told | {"seats": seats}


def _maker(seat: Mapping[str, Any]) -> str:
    """Say whose enclaves a seat's vendor vouches for: the node's word for that is not taken."""
    from keymoot.attest.quorum import maker_of
    from keymoot.base.shown import shown

    vendor = seat.get("vendor")
    return shown(maker_of(vendor), 32) if isinstance(vendor, str) else ""


def _seat_line(at: int, node: Mapping[str, Any], seat: Mapping[str, Any] | None) -> str:
    line = f"seat {at}  {node['identityKey']}  runs {str(node['measurement'])[:18]}…"
    if seat is None:
        return line
    if maker := _maker(seat):
        line += f" by the word of {maker}"
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
    health, problem = seat.get("health") or {}, ""
    if health.get("silentSince"):
        problem += f", HANGS: answers nothing since {_date(health['silentSince'])}"
    if health.get("downSince"):
        problem += f", DOWN since {_date(health['downSince'])}"
    if health.get("endedLately", 0) >= OFTEN_ENDED:
        problem += f", ended {health['endedLately']} times in ten minutes"
    if health.get("trouble"):
        problem += f": {health['trouble']}"
    return problem


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _joining_line(joiner: Mapping[str, Any]) -> str:
    how = "joins with the epoch's end" if joiner["admitted"] else "is being invited"
    if joiner.get("refused"):
        how = f"was not taken in: {joiner['refused']}"
    return f"seat {joiner['seat']}  {joiner['identityKey']}  {how}"
