"""Ask the node that runs on a data folder; say truly why there is no answer.

A folder without a node, a node that hangs, one that ended while it was asked, and somebody
else's: each is another error, for each has another remedy. One that starts says so itself.
"""

import socket
from pathlib import Path

from keymoot.base.errors import Malformed, Refused, Relayed
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.unix_socket import short_path
from keymoot.node.admin.control import FILE_NAME, MAX_ANSWER_BYTES

ASK_SECONDS = 60.0
"""How long an answer may take: a new enclave has to start."""


class NoAnswer(Refused):
    """The node has not answered; each way in which that happens is a class of its own."""


class NoNode(NoAnswer, code="NO_NODE"):
    """No node runs on that folder."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"no node of yours runs on {data}: name the folder of `keymoot up` with --data"
        )


class NodeSilent(NoAnswer, code="NODE_SILENT"):
    """The node has the question, or will have, and has said nothing."""

    def __init__(self, data: Path, seconds: float) -> None:
        super().__init__(
            f"the node on {data} runs and has not answered in {seconds:.0f} s: it may do what it "
            "was asked all the same; see `keymoot net status` and its log"
        )


class NodeGone(NoAnswer, code="NODE_GONE"):
    """The node ended, or broke off, before it answered."""

    def __init__(self, data: Path) -> None:
        super().__init__(
            f"the node on {data} ended or broke off before it answered: see its log; "
            "`keymoot up` starts it again, and it goes on with what it had taken"
        )


class NotYours(NoAnswer, code="NOT_YOURS"):
    """The socket or the folder is another user's."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"you may not ask the node on {data}: ask as the user who runs it")


class NodeRefused(Relayed):
    """The node said no; its word and message are its own."""


def ask(data: Path, verb: str, *, seconds: float = ASK_SECONDS, **values: Json) -> dict[str, Json]:
    """Ask the node on a data folder one of `verbs_of`; wait so many seconds for its answer."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.settimeout(max(seconds, 0.001))
    with channel:
        # A TimeoutError and a PermissionError are OSErrors too: the special ones come first.
        try:
            with short_path(data / FILE_NAME) as path:
                channel.connect(str(path))
        except PermissionError as error:
            raise NotYours(data) from error
        except (TimeoutError, BlockingIOError) as error:
            raise NodeSilent(data, seconds) from error
        except OSError as error:
            raise NoNode(data) from error
        try:
            channel.sendall(canonical({"verb": verb, **values}) + b"\n")
            line = _line(channel)
        except TimeoutError as error:
            raise NodeSilent(data, seconds) from error
        except OSError as error:
            raise NodeGone(data) from error
    try:
        told = parse(line, MAX_ANSWER_BYTES)
    except Malformed as error:
        raise NodeGone(data) from error
    if not isinstance(told, dict):
        raise NodeGone(data)
    if told.get("ok") is not True:
        raise NodeRefused(str(told.get("code")), str(told.get("message")))
    return told


def _line(channel: socket.socket) -> bytes:
    answer = bytearray()
    while not answer.endswith(b"\n") and len(answer) < MAX_ANSWER_BYTES:
        part = channel.recv(MAX_ANSWER_BYTES)
        if not part:
            break
        answer += part
    return bytes(answer)
