"""What the assembly looks like from outside: who sits, comes and goes, generation, roots, stock."""

from typing import TYPE_CHECKING

from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.engine.ledger import Ledger
from keymoot.moot.assembly import Assembly
from keymoot.moot.keygen import Phase
from keymoot.moot.roots import ROOTS
from keymoot.moot.signers import settled

if TYPE_CHECKING:
    from keymoot.node.moot import Moot


def assembly_json(assembly: Assembly, ledger: Ledger, moot: "Moot") -> dict[str, Json]:
    """Describe the assembly as the newest certified state has it."""
    hall = assembly.hall
    if not hall.founded:
        return {"ready": False, "seats": [], "storage": storage_json(ledger)}
    head, committee, page = hall.head, hall.committee, assembly.stock.page
    standing, coming = assembly.handout.standing, assembly.handout.coming
    keygen = assembly.founding.keygen
    seats: list[Json] = []
    leaving = {*assembly.turning.admitting.page.leaving, *moot.changes.leaving}
    for index, known in hall.seats().items():
        holder = moot.holder(index)
        seats.append(
            {
                "seat": index,
                "identityKey": known.identity.hex0x,
                "seated": holder is not None and known.boot == holder.identity.boot,
                "since": known.since,
                "nextKey": data(known.next) if known.next else None,
                "restarts": 0 if holder is None else holder.restarts,
                "health": _health_json(index, moot),
                "excluded": index in head.out,
                "leaving": index in leaving,
            }
        )
    roots: dict[str, Json] = {}
    if hall.ready:
        for kind in ROOTS:
            root = hall.root(kind.name)
            roots[kind.name] = {
                "group": kind.group.NAME,
                "publicKey": data(kind.group.encode(root.public)),
                "degree": root.degree,
                "sharesNeeded": root.degree + 1,
                "shares": [data(share) for share in root.encoded_shares()],
            }
    return {
        "ready": hall.ready,
        "network": ledger.network.hex0x,
        "height": ledger.height(),
        "faults": committee.faults,
        "generation": head.generation.hex0x,
        "recoveries": head.recoveries,
        "epoch": _epoch_json(assembly),
        "keygen": None
        if keygen is None
        else {
            "phase": Phase(keygen.phase).name.lower(),
            "attempt": keygen.attempt,
            "said": len(keygen.said),
        },
        "roots": roots,
        "stateKey": {
            "version": standing.version,
            "since": standing.since if standing.exists else None,
            "holders": [*sorted(standing.holders)],
            "asking": [*sorted(assembly.handout.asks())],
            "raising": None if coming is None else [*sorted(coming.standing.holders)],
        },
        "stock": {
            "presignatures": assembly.stock.left(),
            "batches": len(page.ready),
            "dealing": len(page.open),
            "bound": page.bound,
            "ed25519": assembly.commitments.left(),
        },
        "seats": seats,
        "joining": _joining_json(assembly, moot),
        "storage": storage_json(ledger),
        "cheats": [
            {"seat": one.seat, "height": one.height, "what": one.what} for one in head.cheats
        ],
    }


def storage_json(ledger: Ledger) -> Json:
    """Say why the node can write nothing now; None where it can."""
    shortage = ledger.sequencer.shortage
    if shortage is None:
        return None
    return {"what": shortage.what, "why": shortage.why, "toDo": shortage.hint}


def _health_json(seat: int, moot: "Moot") -> Json:
    holder = moot.holder(seat)
    if holder is not None:
        return holder.health.to_json()
    return {
        "silentSince": None,
        "downSince": None,
        "endedLately": 0,
        "trouble": moot.absent.get(seat),
    }


def _joining_json(assembly: Assembly, moot: "Moot") -> list[Json]:
    """Describe who comes: enclaves that run here, and those that the ledger has admitted."""
    admitted = assembly.turning.admitting.page.joining
    found: list[Json] = []
    for seat in sorted(admitted.keys() | moot.changes.joining):
        holder, known = moot.holder(seat), admitted.get(seat)
        identity = known.identity if known is not None else holder and holder.identity.identity_key
        if identity:
            found.append(
                {"seat": seat, "identityKey": identity.hex0x, "admitted": known is not None}
            )
    return found


def _epoch_json(assembly: Assembly) -> Json:
    epoch = assembly.turning.epoch
    if epoch is None:
        return None
    return {
        "number": epoch.number,
        "since": epoch.since_height,
        "sinceTime": epoch.since_time,
        "endsAt": epoch.since_time + assembly.hall.head.epoch_seconds,
        "stage": epoch.stage.name.lower(),
        "failedAttempts": epoch.attempt,
        # Until all members hold its shares, a recovery goes back to the epoch before.
        "settled": settled(assembly),
        "votes": [*sorted(epoch.wants)],
    }
