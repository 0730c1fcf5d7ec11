"""The assembly's roots as a node shows them: a help to tell good answers from bad, no proof."""

from typing import Any

from keymoot.agent.errors import WrongAnswer
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.moot.roots import ROOTS
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.root import Root, read_share


def read_root(told: Any, name: str) -> Root:
    """Read a root from the answer of keymoot_assembly.

    Args:
        told: The answer.
        name: One of `keymoot.moot.roots`' names.

    Raises:
        WrongAnswer: it is none.
    """
    group = next(kind.group for kind in ROOTS if kind.name == name)
    length = group.POINT_BYTES
    try:
        shown = told["roots"][name]
        shares = shown["shares"]
        if not isinstance(shares, list) or len(shares) > MAX_SIZE:
            raise Malformed("a root has a list of shares")
        return Root(
            group,
            int(shown["degree"]),
            group.decode(hexes.parse_data(shown["publicKey"], "publicKey", length)),
            tuple(read_share(group, hexes.parse_data(one, "share", length)) for one in shares),
        )
    except (KeyError, TypeError, ValueError, Malformed) as error:
        raise WrongAnswer(f"keymoot_assembly was answered by something else: {error}") from error


def root_under(told: Any, name: str, height: Any) -> Root | None:
    """Read a root, if it is the one under which a height's requests were bound.

    With an epoch everyone's share changes: under the next one's root, honest ones look bad.

    Args:
        told: The answer of keymoot_assembly.
        name: One of `keymoot.moot.roots`' names.
        height: The block that bound the request, as the server says.

    Returns:
        The root; None where an epoch has begun since, or nobody says.

    Raises:
        WrongAnswer: it is none.
    """
    root, epoch = read_root(told, name), told.get("epoch")
    since = epoch.get("since") if isinstance(epoch, dict) else None
    # What the block that begins an epoch binds, it binds before: commitments burn with it.
    known = isinstance(since, int) and isinstance(height, int)
    return root if known and since < height else None
