"""What a node can be told on its machine, over the control socket."""

from collections.abc import Mapping

from keymoot.base.errors import Malformed, Refused
from keymoot.base.strict_json import Json
from keymoot.node.admin.control import Verb
from keymoot.node.admin.standing import standing_json
from keymoot.node.membership.membership import Membership


class NodeStarts(Refused, code="NODE_STARTS"):
    message = (
        "the node is starting its enclaves: try again in a moment, and see its log if it stays so"
    )


VERBS = ("network", "standing", "turn", "join", "leave")


def verbs_at_start() -> dict[str, Verb]:
    """Give what a node answers before its enclaves are up: that they are not."""

    async def starts(_: Mapping[str, Json]) -> dict[str, Json]:
        raise NodeStarts

    return dict.fromkeys(VERBS, starts)


def verbs_of(membership: Membership) -> dict[str, Verb]:
    """Give them by name. None of them waits for the ledger: `standing` says what became of it."""
    changes = membership.changes

    async def network(_: Mapping[str, Json]) -> dict[str, Json]:
        return {"network": changes.network.hex0x}

    async def standing(_: Mapping[str, Json]) -> dict[str, Json]:
        return standing_json(membership)

    async def turn(asked: Mapping[str, Json]) -> dict[str, Json]:
        epoch = asked.get("epoch")
        await changes.turn(None if epoch is None else _number(epoch, "epoch"))
        return {}

    async def join(_: Mapping[str, Json]) -> dict[str, Json]:
        return {"seat": await changes.join()}

    async def leave(asked: Mapping[str, Json]) -> dict[str, Json]:
        await changes.leave(_number(asked.get("seat"), "seat"))
        return {}

    return dict(zip(VERBS, (network, standing, turn, join, leave), strict=True))


def _number(value: Json, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"a {path} is a number", path)
    return value
