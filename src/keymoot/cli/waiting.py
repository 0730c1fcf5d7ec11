"""Ask the node on this machine for a change of the committee, and wait for it on the ledger.

What a node answers is only that it has taken the question. Whether anything came of it is on
the ledger, so that is what is looked at until it is there, or the time that was given is over.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cyclopts import Parameter

from keymoot.cli import settings
from keymoot.cli.output import (
    EXIT_ERROR,
    EXIT_NOT_YET,
    EXIT_STOPPED,
    CommandFailed,
    fail,
    note,
    result,
)

if TYPE_CHECKING:
    from keymoot.base.errors import Refused

LOOK_SECONDS = 0.2
AGAIN_SECONDS = 2.0
"""How often what enclaves have to say is asked for again."""

ANSWER_SECONDS = 5.0
"""How long the node may take to answer at all, however short the wait."""

_STARTING = ("NODE_STARTS", "NOT_READY")

_STAGES = {
    "dealing": "dealing shares of shares",
    "verdicts": "checking them",
    "holding": "adding them up",
}

Standing = Mapping[str, Any]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Which node is asked.

    Attributes:
        data: The node's data folder; default ~/.local/share/keymoot/network.
        url: A Keymoot RPC, to make sure that the node keeps its network; default KEYMOOT_URL,
            where it is set.
        json: Print JSON: "done", "state", "message", and how things stand on the ledger.
    """

    data: Path | None = None
    url: str | None = None
    json: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What one look at the ledger says of a change.

    Attributes:
        state: A word for programs.
        line: The same for people.
        done: Whether it has happened.
        over: Whether it will not happen any more.
    """

    state: str
    line: str
    done: bool = False
    over: bool = False


class PendingChange:
    """One change: asked for, and waited for, within a stated time."""

    def __init__(self, change: str, here: Here, seconds: int) -> None:
        from keymoot.node.config import default_data

        self._told: dict[str, Any] = {"change": change, "done": False}
        self._here = here
        self._data = here.data or default_data()
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._standing: Standing = {}
        self._last = ""
        self.goes_on = "nothing was asked yet"
        """What happens without whoever waits, for when they stop waiting."""

    def check_network(self) -> None:
        """Fail unless the node keeps the network of the Keymoot RPC that was named, if one was."""
        url = settings.named_url(self._here.url)
        if url is None:
            return
        if self.ask("network")["network"] != settings.network(url).identity().network.hex0x:
            self._end(
                Progress(
                    "refused",
                    f"the node on {self._data} keeps another network than {url}: "
                    "name its Keymoot RPC with --url or KEYMOOT_URL, or its folder with --data",
                )
            )

    def ask(self, verb: str, **values: Any) -> dict[str, Any]:
        """Ask the node; once more, while it starts and there is time."""
        from keymoot.node.admin.question import NoAnswer, NodeRefused, NodeSilent, ask

        while True:
            try:
                left = self._deadline - time.monotonic()
                return ask(self._data, verb, seconds=max(left, ANSWER_SECONDS), **values)
            except NodeSilent as error:
                self._end(Progress("unknown", str(error)), EXIT_NOT_YET)
            except (NoAnswer, NodeRefused) as error:
                if error.code not in _STARTING or time.monotonic() > self._deadline:
                    self._refused(error)
                self._show(str(error))
            time.sleep(LOOK_SECONDS)

    def until(
        self, look: Callable[[Standing], Progress], again: Callable[[Standing], None] | None = None
    ) -> None:
        """Look at the ledger until the change is there; fail when it is not in time.

        Args:
            look: Says how the change stands.
            again: Asks once more for what is missing; called every `AGAIN_SECONDS`.
        """
        asked = time.monotonic()
        while True:
            self._standing = self.standing()
            progress = look(self._standing)
            if progress.done:
                self._told["done"] = True
                self._print(progress)
                return
            if progress.over:
                self._end(progress)
            if self._standing["storage"]:
                # Until the disk takes something again there is no block.
                progress = replace(progress, line=f"{progress.line}; {self._standing['storage']}")
            self._show(f"{progress.line} …")
            now = time.monotonic()
            if now > self._deadline:
                line = f"not yet after {self._seconds} s: {progress.line}; {self.goes_on}; "
                self._end(
                    Progress(progress.state, f"{line}`keymoot net status` shows it"), EXIT_NOT_YET
                )
            if again is not None and now - asked > AGAIN_SECONDS:
                again(self._standing)
                asked = time.monotonic()
            time.sleep(min(LOOK_SECONDS, max(self._deadline - now, 0.01)))

    def standing(self) -> Standing:
        """Ask how things stand on the ledger, once it has keys."""
        from keymoot.node.admin.question import NoAnswer, NodeRefused, NodeSilent, ask

        while True:
            late = time.monotonic() > self._deadline
            try:
                told = ask(self._data, "standing", seconds=ANSWER_SECONDS)
            except NodeSilent as error:
                if late:
                    self._end(Progress("unknown", f"{error}; {self.goes_on}"), EXIT_NOT_YET)
                self._show("the node does not answer …")
            except (NoAnswer, NodeRefused) as error:
                if error.code not in _STARTING or late:
                    self._told["code"] = error.code
                    self._end(Progress("unknown", f"{error}; {self.goes_on}"))
                self._show(str(error))
            else:
                if told["ready"]:
                    return {name: value for name, value in told.items() if name != "ok"}
                if late:
                    keys = "the committee is still making its keys"
                    self._end(Progress("refused", f"{keys}; {self.goes_on}"))
                self._show("the committee is still making its keys …")
            time.sleep(LOOK_SECONDS)

    def stopped(self) -> NoReturn:
        """Say what goes on without whoever stops waiting; the shell's status for that."""
        progress = Progress("unknown", f"stopped waiting: {self.goes_on}")
        if self._here.json:
            self._print(progress)
        note(progress.line)
        raise CommandFailed(EXIT_STOPPED)

    def tell(self, **values: Any) -> None:
        self._told |= values

    def _refused(self, error: "Refused") -> NoReturn:
        self._told["code"] = error.code
        self._end(Progress("refused", str(error)))

    def _end(self, progress: Progress, status: int = EXIT_ERROR) -> NoReturn:
        if self._here.json:
            self._print(progress)
        fail(progress.line, status)

    def _print(self, progress: Progress) -> None:
        self._told |= {
            "state": progress.state,
            "message": progress.line,
            "standing": self._standing,
        }
        result(self._told, [progress.line], as_json=self._here.json)

    def _show(self, line: str) -> None:
        if line != self._last:
            note(line)
            self._last = line


def join_progress(standing: Standing, seat: int) -> Progress:
    if seat in standing["members"]:
        number = standing["epoch"]["number"]
        return Progress("joined", f"seat {seat} has joined, in epoch {number}", done=True)
    known = standing["joining"].get(str(seat))
    if known is None:
        return Progress(
            "refused",
            f"seat {seat} is not to join any more: its enclave did not start again, or somebody "
            "had it stay out: see the node's log",
            over=True,
        )
    if known["settled"] and not known.get("fits", True):
        return Progress(
            "waiting",
            f"seat {seat} is admitted and waits: too many seats would be of its maker of enclaves",
        )
    if known["settled"]:
        return Progress(
            "admitted",
            f"seat {seat} joins with the end of the epoch: `keymoot net turn` ends it now",
            done=True,
        )
    if standing["epoch"]["stage"] != "living":
        return Progress(
            "waiting", f"seat {seat} is invited once the epoch has ended, which is under way"
        )
    if known.get("refused"):
        return Progress("waiting", f"seat {seat} was not taken in: {known['refused']}")
    if len(known["votes"]) >= standing["needed"]:
        return Progress("waiting", f"seat {seat} is invited, and its enclave has not asked to join")
    return Progress("waiting", f"seat {seat} is being invited: {_votes(standing, known['votes'])}")


def leave_progress(standing: Standing, seat: int) -> Progress:
    if seat not in standing["members"]:
        return Progress("left", f"seat {seat} is no member", done=True)
    known = standing["leaving"].get(str(seat))
    if known is None:
        return Progress(
            "refused", f"seat {seat} is not to leave any more: see the node's log", over=True
        )
    if not known["settled"]:
        if standing["epoch"]["stage"] != "living":
            return Progress(
                "waiting", f"seat {seat} says so once the epoch has ended, which is under way"
            )
        return Progress("waiting", f"seat {seat} is to leave: {_votes(standing, known['votes'])}")
    if seat in standing["next"]:
        return Progress(
            "waiting",
            f"seat {seat} is to leave and stays until another joins: too few would be left, or "
            "no mix of makers",
        )
    return Progress(
        "leaving",
        f"seat {seat} leaves with the end of the epoch: `keymoot net turn` ends it now",
        done=True,
    )


def turn_progress(standing: Standing, before: int, failed: int) -> Progress:
    """Say how the end of an epoch stands.

    Args:
        standing: How things stand.
        before: The epoch that is to end.
        failed: How many attempts to end it had failed when it was asked for.
    """
    epoch = standing["epoch"]
    if epoch["number"] > before:
        return Progress("turned", f"epoch {epoch['number']} has begun", done=True)
    more = epoch["failedAttempts"] - failed
    count = f"{more} attempt{'s' if more > 1 else ''} failed"
    tried = f" ({count}: too few were heard in time)" if more > 0 else ""
    if epoch["stage"] == "living":
        return Progress(
            "waiting", f"epoch {before} is to end{tried}: {_votes(standing, epoch['votes'])}"
        )
    waits = _who(standing, epoch["awaited"])
    line = f"epoch {before} is ending{tried}: {_STAGES[epoch['stage']]}"
    return Progress(epoch["stage"], f"{line}, waiting for {waits}" if waits else line)


def _votes(standing: Standing, votes: Sequence[int]) -> str:
    missing = _who(standing, [seat for seat in standing["members"] if seat not in votes])
    return f"{len(votes)} of {standing['needed']} votes, waiting for {missing}"


def _who(standing: Standing, seats: Sequence[int]) -> str:
    """Name seats, each with what keeps it from speaking, where the node knows that."""
    reasons = (("silent", "does not answer"), ("lost", "lost its folder"), ("away", "is not back"))
    names = []
    for seat in seats:
        why = next((word for name, word in reasons if seat in standing[name]), "")
        names.append(f"{seat} ({why})" if why else str(seat))
    return f"seat{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else ""
