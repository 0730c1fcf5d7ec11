"""What the assembly looks like from outside: seats, generation, roots, stock."""

from typing import TYPE_CHECKING

from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.engine.ledger import Ledger
from keymoot.moot.assembly import Assembly
from keymoot.moot.keygen import Phase
from keymoot.moot.roots import ROOTS

if TYPE_CHECKING:
    from keymoot.node.moot import Moot


def assembly_json(assembly: Assembly, ledger: Ledger, moot: "Moot") -> dict[str, Json]:
    """Describe the assembly as the newest committed state has it."""
    hall = assembly.hall
    if not hall.founded:
        return {"ready": False, "seats": []}
    head, committee, page = hall.head, hall.committee, assembly.stock.page
    standing = assembly.handout.standing
    keygen = assembly.founding.keygen
    seats: list[Json] = []
    for seat in moot.seats:
        known = hall.seat(seat.index)
        seats.append(
            {
                "seat": seat.index,
                "identityKey": known.identity.hex0x,
                "seated": known.boot == seat.identity.boot,
                "since": known.since,
                "nextKey": data(known.next) if known.next else None,
                "restarts": seat.restarts,
                "excluded": seat.index in head.out,
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
                "shares": [data(kind.group.encode(share)) for share in root.shares],
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
        },
        "stock": {
            "presignatures": assembly.stock.left(),
            "batches": len(page.ready),
            "dealing": len(page.open),
            "bound": page.bound,
            "ed25519": assembly.commitments.left(),
        },
        "seats": seats,
        "cheats": [
            {"seat": one.seat, "height": one.height, "what": one.what} for one in head.cheats
        ],
    }


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
        "votes": [*sorted(epoch.wants)],
    }
