"""What can go wrong on the agent's side, beside a refusal by policy.

`keymoot.policy.errors.PolicyRefused` is the network's considered no; it is raised here
too, and is re-exported by `keymoot.agent`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from keymoot.agent.reverted import word_of
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
    return "; ".join(f"{url} {words}" for url, words in nodes.items())


class BadCredential(Malformed, code="BAD_CREDENTIAL"):
    """The credential file is not one; `path` names the field."""


class CredentialUnusable(Refused, code="CREDENTIAL_UNUSABLE"):
    """The credential is there, and may not be used: missing, loose, expired, another's."""


class BadTransaction(Malformed, code="BAD_TRANSACTION"):
    """The dictionary is no transaction that a wallet can sign; `path` names the field."""


class WrongSender(Refused, code="WRONG_SENDER"):
    """The transaction's `from` is another account."""

    def __init__(self, shown: str, own: str) -> None:
        super().__init__(f"the transaction is from {shown}, this wallet is {own}: set from to it")
        self.shown = shown
        self.own = own


class NotSignable(Refused, code="NOT_SIGNABLE"):
    """Keymoot signs nothing of this kind, whatever a policy says."""


class NoKeyHere(Refused, code="NO_KEY_HERE"):
    """The wallet's key is not in this process, nor in any file of this machine's agent."""

    def __init__(self, asked: str, instead: str) -> None:
        super().__init__(
            f"{asked} needs the private key, which never leaves the network's enclaves: {instead}"
        )
        self.asked = asked


class NetworkUnreachable(Fault, code="NETWORK_UNREACHABLE"):
    """No connection to Keymoot RPC; nothing was asked."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"Keymoot RPC at {url} does not answer ({why}): "
            "start it with `keymoot up`, or set KEYMOOT_URL"
        )
        self.url = url


class DaemonUnreachable(NetworkUnreachable):
    """No daemon answers on its socket; nothing was asked."""

    def __init__(self, socket: str, why: str) -> None:
        super().__init__(socket, why)
        told = " ".join(filter(None, ("the daemon's socket", socket)))
        instead = "run this beside a daemon, with `keymoot agent run --app APP --wallet NAME`"
        self.args = (f"{told} does not answer ({why}): {instead}",)


class AnswerLost(Fault, code="ANSWER_LOST"):
    """The network may or may not have signed; asking again with the same key is safe.

    Attributes:
        idempotency_key: Give it to the same call again: the answer is the same one,
            nothing is signed twice.
        nodes: What was wrong with each node, by its URL; empty where there is only one.
    """

    def __init__(self, why: str, idempotency_key: str, nodes: Mapping[str, str] = NOBODY) -> None:
        self.nodes, self._why = dict(nodes), why
        super().__init__(
            f"no answer from the network ({why}); it may have signed: "
            f'call again with idempotency_key="{idempotency_key}" to get that very answer'
        )
        self.idempotency_key = idempotency_key

    def named(self, idempotency_key: str) -> Self:
        """Say the same of a wish of another name."""
        return type(self)(self._why, idempotency_key, self.nodes)


class NoNodeAnswers(Fault, code="NO_NODE_ANSWERS"):
    """Of several nodes none gave an answer that is believed; `nodes` has what was wrong by URL."""

    def __init__(self, nodes: Mapping[str, str]) -> None:
        super().__init__(each_of(nodes))
        self.nodes = dict(nodes)


class RequestExpired(Refused, code="REQUEST_EXPIRED"):
    """The request's time ran out before an answer was released."""


class RequestForgotten(Refused, code="REQUEST_FORGOTTEN"):
    """The idempotency key was used so long ago that what it was allowed is not signed now."""

    def __init__(self, idempotency_key: str) -> None:
        super().__init__(
            f'idempotency_key "{idempotency_key}" was used more than {REMEMBERED_SECONDS // 3600} '
            "hours ago, and its answer is not kept any more: it may have been signed then, so see "
            "whether it has happened on the target chain before you ask with a new key"
        )
        self.idempotency_key = idempotency_key


class IdempotencyReused(Refused, code="IDEMPOTENCY_REUSED"):
    """The idempotency key was used before, to ask for something else."""

    def __init__(self, idempotency_key: str) -> None:
        super().__init__(
            f'idempotency_key "{idempotency_key}" was used for something else: choose a new one'
        )
        self.idempotency_key = idempotency_key


_REVERTED = 3
"""What Ethereum's nodes answer when a call reverts."""


_SAYS_SO = "execution reverted: "
"""What they write before a contract's own words."""


class NetworkRefused(Refused, code="NETWORK_REFUSED"):
    """Keymoot RPC answered with an error of its own: unknown credential, no quota, and so on."""

    def __init__(self, rpc_code: int, message: str, data: Any = None) -> None:
        # People read what the contract says; programs see from the code that one did.
        super().__init__(message.removeprefix(_SAYS_SO) if rpc_code == _REVERTED else message)
        self.rpc_code = rpc_code
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether a contract said no, when a node tried a call out: nothing was sent."""
        return self.rpc_code == _REVERTED

    @property
    def reason(self) -> str:
        """The word of whoever refused, such as INSTANCE_EVICTED; empty where none was given."""
        if not isinstance(self.data, dict):
            return word_of(self.data)
        return str(self.data.get("code") or self.data.get("reason") or "")


class NetworkBusy(Refused, code="NETWORK_BUSY"):
    """Keymoot RPC has no room or patience now; nothing was accepted."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the network is busy ({why}): try again in a second")


class WrongAnswer(Fault, code="WRONG_ANSWER"):
    """The network answered with something that it was not asked, or that is not genuine."""


class Unproven(WrongAnswer, code="UNPROVEN"):
    """The network did not prove what it said: it is not certified, or does not follow from it."""

    def __init__(self, why: Exception | str) -> None:
        super().__init__(f"this network's word is not believed: {why}")
        self.why = why


class AnotherNetwork(Unproven, code="ANOTHER_NETWORK"):
    """What answers is another Keymoot network than the one that is pinned here."""

    def __init__(self, url: str, fingerprint: str, pinned: str) -> None:
        super().__init__(
            f"{url} shows network {fingerprint}, pinned here is {pinned}: {SET_URL}. If you know why there "
            f"is another network now, `keymoot net forget {url}` takes back what commands have pinned"
        )
        self.url, self.shown, self.pinned = url, fingerprint, pinned


class LeftBehind(Unproven, code="LEFT_BEHIND"):
    """What the network shows does not build on a block that was certified, and seen here.

    Attributes:
        height, name: Of the block that was seen.
        path: The file that remembers it; None where only this process does.
    """

    def __init__(
        self, height: Height, name: Hash32, path: Path | None, why: Exception | str
    ) -> None:
        accept = "connect anew" if path is None else f"run `keymoot net accept-recovery {path}`"
        super().__init__(
            f"it does not build on block {height} ({name.hex0x}), which was certified, and was seen "
            f"here before ({why}). Either this network was recovered from before that block, and "
            "what was certified since is undone; or this node hides it. Ask another node, and "
            f"those who run the network. To accept such a recovery, {accept}"
        )
        self.why = why
        self.height, self.name, self.path = height, name, path


class SeenUnusable(Refused, code="SEEN_UNUSABLE"):
    """The file that remembers the newest block seen cannot be used."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path}, which remembers the newest block seen, is of no use ({why}): put back the one "
            "that was there, or remove it, and the next block that the network shows is believed"
        )


class NotKeymoot(WrongAnswer, code="NOT_KEYMOOT"):
    """Something answers at Keymoot RPC's address, and is another thing."""

    def __init__(self, url: str, shown: str) -> None:
        super().__init__(f"{url} is not your network's Keymoot RPC, but {shown}: {SET_URL}")
        self.url = url
        self.shown = shown


class SignedElse(WrongAnswer, code="SIGNED_ELSE"):
    """A genuine answer, to something else than was asked under this name."""

    def __init__(self) -> None:
        super().__init__("the network signed something else than it was asked to")
