"""The committee from outside: who sits, comes and goes, generation, roots, stock."""

from keymoot.attest.quorum import maker_of
from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.committee.keygen.record import Phase
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.roots import ROOTS
from keymoot.committee.signers import settled
from keymoot.engine.ledger import Ledger
from keymoot.node.membership.membership import Membership


def committee_json(membership: Membership) -> dict[str, Json]:
    ledger, machine = membership.ledger, membership.roster.machine()
    state = machine.state
    if not state.founded:
        return {"ready": False, "seats": [], "storage": storage_json(ledger)}
    head, committee, page = state.record, state.committee, machine.stock.page
    standing, coming = machine.state_key.status, machine.state_key.coming
    keygen = machine.keygen.record
    seats: list[Json] = []
    leaving = {*machine.epochs.membership.page.leaving, *membership.changes.leaving}
    for index, known in state.seats().items():
        holder = membership.enclaves.holder(index)
        seats.append(
            {
                "seat": index,
                "identityKey": known.identity.hex0x,
                "vendor": known.vendor,
                "maker": maker_of(known.vendor),
                "seated": holder is not None and known.session == holder.identity.session,
                "since": known.since,
                "nextKey": data(known.next) if known.next else None,
                "restarts": 0 if holder is None else holder.restarts,
                "health": _health_json(index, membership),
                "excluded": index in head.out,
                "leaving": index in leaving,
            }
        )
    roots: dict[str, Json] = {}
    if state.ready:
        for kind in ROOTS:
            root = state.root(kind.name)
            roots[kind.name] = {
                "group": kind.group.NAME,
                "publicKey": data(kind.group.encode(root.public)),
                "degree": root.degree,
                "sharesNeeded": root.degree + 1,
                "shares": [data(share) for share in root.encoded_shares()],
            }
    return {
        "ready": state.ready,
        "network": ledger.network.hex0x,
        "height": ledger.height(),
        "faults": committee.faults,
        "generation": head.generation.hex0x,
        "recoveries": head.recoveries,
        "epoch": _epoch_json(machine),
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
            "asking": [*sorted(machine.state_key.asks())],
            "raising": None if coming is None else [*sorted(coming.status.holders)],
        },
        "stock": {
            "presignatures": machine.stock.left(),
            "batches": len(page.ready),
            "dealing": len(page.open),
            "bound": page.bound,
            "ed25519": machine.nonces.left(),
        },
        "seats": seats,
        "joining": _joining_json(machine, membership),
        "storage": storage_json(ledger),
        "cheats": [
            {"seat": cheat.seat, "height": cheat.height, "what": cheat.what}
            for cheat in head.cheats
        ],
    }


def storage_json(ledger: Ledger) -> Json:
    """Say why the node can write nothing now; None where it can."""
    shortage = ledger.sequencer.shortage
    if shortage is None:
        return None
    return {"what": shortage.what, "why": shortage.why, "toDo": shortage.hint}


def _health_json(seat: int, membership: Membership) -> Json:
    holder = membership.enclaves.holder(seat)
    if holder is not None:
        return holder.health.to_json()
    return {
        "silentSince": None,
        "downSince": None,
        "endedLately": 0,
        "trouble": membership.absent.reasons.get(seat),
    }


def _joining_json(machine: CommitteeMachine, membership: Membership) -> list[Json]:
    """Describe who comes: enclaves that run here, and those that the ledger has admitted."""
    admitted = machine.epochs.membership.page.joining
    seats: list[Json] = []
    for seat in sorted(admitted.keys() | membership.changes.joining):
        holder, known = membership.enclaves.holder(seat), admitted.get(seat)
        identity = known.identity if known is not None else holder and holder.identity.identity_key
        if identity:
            seats.append(
                {
                    "seat": seat,
                    "identityKey": identity.hex0x,
                    "admitted": known is not None,
                    "refused": membership.refused.reason(seat),
                }
            )
    return seats


def _epoch_json(machine: CommitteeMachine) -> Json:
    epoch = machine.epochs.current
    if epoch is None:
        return None
    return {
        "number": epoch.number,
        "since": epoch.since_height,
        "sinceTime": epoch.since_time,
        "endsAt": epoch.since_time + machine.state.record.epoch_seconds,
        "stage": epoch.stage.name.lower(),
        "failedAttempts": epoch.attempt,
        # Until all members hold its shares, a recovery goes back to the epoch before.
        "settled": settled(machine),
        "votes": [*sorted(epoch.wants)],
    }
