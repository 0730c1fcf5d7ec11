"""Where changes of the committee stand on the ledger, for whoever waits for one.

All of it is what the newest block says; only who is silent, away or lost is what the node
sees of its own enclaves.
"""

from keymoot.base.strict_json import Json
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.reshare.record import EpochStage
from keymoot.node.membership.membership import Membership

MAX_WORDS = 500
"""Longest text of what the disk does, in characters."""


def standing_json(membership: Membership) -> dict[str, Json]:
    """Describe who comes and goes, how far the epoch's end has come, and who is waited for.

    Fits into a line of the control socket whatever is on the ledger: lists of up to 64 seats.
    """
    machine, changes = membership.roster.machine(), membership.changes
    ledger = membership.ledger
    state, epoch = machine.state, machine.epochs.current
    shortage = ledger.sequencer.shortage
    told: dict[str, Json] = {
        "network": ledger.network.hex0x,
        "height": ledger.height(),
        "storage": None if shortage is None else str(shortage)[:MAX_WORDS],
        "ready": state.founded and state.ready and epoch is not None,
    }
    if not state.founded or not state.ready or epoch is None:
        return told
    page, members = machine.epochs.membership.page, state.record.members
    living = epoch.stage is EpochStage.LIVING
    following = machine.epochs.membership.next_seats() if living else epoch.next_seats
    joining: dict[str, Json] = {}
    for seat in sorted({*page.joining, *changes.joining} - {*members}):
        holder = membership.enclaves.holder(seat)
        identity = None if holder is None else holder.identity.identity_key
        votes = frozenset[int]() if identity is None else page.invited.get(identity, frozenset())
        joining[str(seat)] = {
            "settled": seat in page.joining,
            "votes": _list(votes),
            "fits": seat in following,
            "refused": membership.refused.reason(seat),
        }
    leaving: dict[str, Json] = {}
    for seat in sorted({*page.leaving, *changes.leaving} & {*members}):
        votes = page.unwanted.get(seat, frozenset())
        leaving[str(seat)] = {"settled": seat in page.leaving, "votes": _list(votes)}
    told["epoch"] = {
        "number": epoch.number,
        "stage": epoch.stage.name.lower(),
        "failedAttempts": epoch.attempt,
        "endsAt": epoch.since_time + state.record.epoch_seconds,
        "votes": _list(epoch.wants),
        "awaited": _list(machine.epochs.awaited),
    }
    told["needed"] = state.committee.present
    told["members"], told["next"] = _list(members), _list(following)
    told["joining"], told["leaving"] = joining, leaving
    return told | _enclaves(membership, machine)


def _enclaves(membership: Membership, machine: CommitteeMachine) -> dict[str, Json]:
    """Say which members' enclaves can say nothing now, and why."""
    lost, away = set[int](), set[int]()
    for seat, known in machine.state.seats().items():
        holder = membership.enclaves.holder(seat)
        if holder is not None and holder.identity.identity_key != known.identity:
            lost.add(seat)
        elif holder is None or not holder.alive or holder.identity.session != known.session:
            away.add(seat)
    return {"silent": _list(membership.asking.silent), "lost": _list(lost), "away": _list(away)}


def _list(seats: frozenset[int] | set[int] | tuple[int, ...]) -> Json:
    return [*sorted(seats)]
