"""What can go wrong on the agent's side, beside a refusal by policy.

`keymoot.policy.errors.PolicyRefused` is the network's considered no; it is raised here
too, and is re-exported by `keymoot.agent`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

from keymoot.base.errors import Fault, Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.units import Height

SET_URL = (
    "set KEYMOOT_URL (or --url) to the Keymoot RPC of your network, such as "
    "http://127.0.0.1:8645, and give the target chain's RPC to web3 only"
)
"""What to do about a wrong address."""


NOBODY: Mapping[str, str] = MappingProxyType({})


def each_of(nodes: Mapping[str, str]) -> str:
    """Say what was wrong with each node."""
    return "; ".join(f"{url} {words}" for url, words in nodes.items())


class BadCredential(Malformed):
    """The credential file is not one; `path` names the field."""

    code: ClassVar[str] = "BAD_CREDENTIAL"


class CredentialUnusable(Refused):
    """The credential is there, and may not be used: missing, loose, expired, another's."""

    code: ClassVar[str] = "CREDENTIAL_UNUSABLE"


class BadTransaction(Malformed):
    """The dictionary is no transaction that a wallet can sign; `path` names the field."""

    code: ClassVar[str] = "BAD_TRANSACTION"


class WrongSender(Refused):
    """The transaction's `from` is another account."""

    code: ClassVar[str] = "WRONG_SENDER"

    def __init__(self, found: str, own: str) -> None:
        """Show both addresses."""
        super().__init__(f"the transaction is from {found}, this wallet is {own}: set from to it")
        self.found = found
        self.own = own


class NotSignable(Refused):
    """Keymoot signs nothing of this kind, whatever a policy says."""

    code: ClassVar[str] = "NOT_SIGNABLE"


class NoKeyHere(Refused):
    """The wallet's key is not in this process, nor in any file of this machine's agent."""

    code: ClassVar[str] = "NO_KEY_HERE"

    def __init__(self, asked: str, instead: str) -> None:
        """Name what was asked for and what does the job."""
        super().__init__(
            f"{asked} needs the private key, which never leaves the network's enclaves: {instead}"
        )
        self.asked = asked


class NetworkUnreachable(Fault):
    """No connection to Keymoot RPC; nothing was asked."""

    code: ClassVar[str] = "NETWORK_UNREACHABLE"

    def __init__(self, url: str, why: str) -> None:
        """Name the address and the reason."""
        super().__init__(
            f"Keymoot RPC at {url} does not answer ({why}): "
            "start it with `keymoot up`, or set KEYMOOT_URL"
        )
        self.url = url


class AnswerLost(Fault):
    """The network may or may not have signed; asking again with the same key is safe.

    Attributes:
        idempotency_key: Give it to the same call again: the answer is the same one,
            nothing is signed twice.
        nodes: What was wrong with each node, by its URL; empty where there is only one.
    """

    code: ClassVar[str] = "ANSWER_LOST"

    def __init__(self, why: str, idempotency_key: str, nodes: Mapping[str, str] = NOBODY) -> None:
        """Say what happened and how to ask again."""
        self.nodes, self._why = dict(nodes), why
        super().__init__(
            f"no answer from the network ({why}); it may have signed: "
            f'call again with idempotency_key="{idempotency_key}" to get that very answer'
        )
        self.idempotency_key = idempotency_key

    def named(self, idempotency_key: str) -> Self:
        """Say the same of a wish of another name."""
        return type(self)(self._why, idempotency_key, self.nodes)


class NoNodeAnswers(Fault):
    """Of several nodes none gave an answer that is believed.

    Attributes:
        nodes: What was wrong with each, by its URL.
    """

    code: ClassVar[str] = "NO_NODE_ANSWERS"

    def __init__(self, nodes: Mapping[str, str]) -> None:
        """Say it of each."""
        super().__init__(each_of(nodes))
        self.nodes = dict(nodes)


class RequestExpired(Refused):
    """The request's time ran out before an answer was released."""

    code: ClassVar[str] = "REQUEST_EXPIRED"


class RequestForgotten(Refused):
    """The idempotency key was used so long ago that what it was allowed is not signed now."""

    code: ClassVar[str] = "REQUEST_FORGOTTEN"

    def __init__(self, idempotency_key: str) -> None:
        """Say how long a key holds, and what to do."""
        super().__init__(
            f'idempotency_key "{idempotency_key}" was used more than {REMEMBERED_SECONDS // 3600} '
            "hours ago, and its answer is not kept any more: it may have been signed then, so see "
            "whether it has happened on the target chain before you ask with a new key"
        )
        self.idempotency_key = idempotency_key


class IdempotencyReused(Refused):
    """The idempotency key was used before, to ask for something else."""

    code: ClassVar[str] = "IDEMPOTENCY_REUSED"

    def __init__(self, idempotency_key: str) -> None:
        """Name the key."""
        super().__init__(
            f'idempotency_key "{idempotency_key}" was used for something else: choose a new one'
        )
        self.idempotency_key = idempotency_key


class NetworkRefused(Refused):
    """Keymoot RPC answered with an error of its own: unknown credential, no quota, and so on.

    Attributes:
        rpc_code: The JSON-RPC error code.
        data: Its data, if any.
    """

    code: ClassVar[str] = "NETWORK_REFUSED"

    def __init__(self, rpc_code: int, message: str, data: Any = None) -> None:
        """Repeat the network's words."""
        super().__init__(message)
        self.rpc_code = rpc_code
        self.data = data


class NetworkBusy(Refused):
    """Keymoot RPC has no room or patience now; nothing was accepted."""

    code: ClassVar[str] = "NETWORK_BUSY"

    def __init__(self, why: str) -> None:
        """Repeat the network's words."""
        super().__init__(f"the network is busy ({why}): try again in a second")


class WrongAnswer(Fault):
    """The network answered with something that it was not asked, or that is not genuine."""

    code: ClassVar[str] = "WRONG_ANSWER"


class Unproven(WrongAnswer):
    """The network did not prove what it said: it is not certified, or does not follow from it.

    Attributes:
        why: What did not fit; an error of `keymoot.proof`, or words.
    """

    code: ClassVar[str] = "UNPROVEN"

    def __init__(self, why: Exception | str) -> None:
        """Say what did not fit."""
        super().__init__(f"this network's word is not believed: {why}")
        self.why = why


class AnotherNetwork(Unproven):
    """What answers is another Keymoot network than the one that is pinned here.

    Attributes:
        url: Where it answers.
        found: Its id, as it says.
        pinned: The id of the one that is pinned.
    """

    code: ClassVar[str] = "ANOTHER_NETWORK"

    def __init__(self, url: str, found: str, pinned: str) -> None:
        """Name both, and what to do."""
        super().__init__(
            f"{url} shows network {found}, pinned here is {pinned}: {SET_URL}. If you know why there "
            f"is another network now, `keymoot net forget {url}` takes back what commands have pinned"
        )
        self.url, self.found, self.pinned = url, found, pinned


class LeftBehind(Unproven):
    """What the network shows does not build on a block that was certified, and seen here.

    Attributes:
        height: Of the block that was seen.
        name: Its hash.
        path: The file that remembers it; None where only this process does.
    """

    code: ClassVar[str] = "LEFT_BEHIND"

    def __init__(
        self, height: Height, name: Hash32, path: Path | None, why: Exception | str
    ) -> None:
        """Say what was seen, what may have happened, and how to accept it."""
        accept = "connect anew" if path is None else f"run `keymoot net accept-recovery {path}`"
        super().__init__(
            f"it does not build on block {height} ({name.hex0x}), which was certified, and was seen "
            f"here before ({why}). Either this network was recovered from before that block, and "
            "what was certified since is undone; or this node hides it. Ask another node, and "
            f"those who run the network. To accept such a recovery, {accept}"
        )
        self.why = why
        self.height, self.name, self.path = height, name, path


class SeenUnusable(Refused):
    """The file that remembers the newest block seen cannot be used."""

    code: ClassVar[str] = "SEEN_UNUSABLE"

    def __init__(self, path: Path, why: str) -> None:
        """Say what to do."""
        super().__init__(
            f"{path}, which remembers the newest block seen, is of no use ({why}): put back the one "
            "that was there, or remove it, and the next block that the network shows is believed"
        )


class NotKeymoot(WrongAnswer):
    """Something answers at Keymoot RPC's address, and is another thing.

    Attributes:
        url: The address.
        found: What answers there, as far as it says.
    """

    code: ClassVar[str] = "NOT_KEYMOOT"

    def __init__(self, url: str, found: str) -> None:
        """Say what was found, and what to set."""
        super().__init__(f"{url} is not your network's Keymoot RPC, but {found}: {SET_URL}")
        self.url = url
        self.found = found


class SignedElse(WrongAnswer):
    """A genuine answer, to something else than was asked under this name."""

    code: ClassVar[str] = "SIGNED_ELSE"

    def __init__(self) -> None:
        """Say what is wrong."""
        super().__init__("the network signed something else than it was asked to")
