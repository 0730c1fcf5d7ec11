"""`keymoot up` that dies at a step: python -m tests.node.dying --data DATA --port PORT.

The environment says at which: KEYMOOT_DIES=certify:3:before:all is the third time that an
enclave is to be shown a certificate. Steps are the words that enclaves are asked, and `write`,
which brings blocks to the disk; each has a moment before and one after. Who dies is `all` at once,
the `server`, or the enclave that is `asked`.
"""

import os
import runpy
import signal
import sys
from typing import Any

from keymoot.base import rlp
from keymoot.enclave.client import EnclaveClient
from keymoot.engine.writer import Writer

VARIABLE = "KEYMOOT_DIES"


class Step:
    """The one at which it dies."""

    def __init__(self, said: str) -> None:
        self.word, count, self.moment, self.victim = said.split(":")
        self.left = int(count)

    def at(self, word: str, moment: str, asked: int = 0) -> None:
        """Die, if this is the step."""
        if (word, moment) != (self.word, self.moment):
            return
        self.left -= 1
        if self.left:
            return
        print(f"dies {moment} {word}", file=sys.stderr, flush=True)
        if self.victim == "all":
            os.killpg(0, signal.SIGKILL)
        os.kill(asked if self.victim == "asked" else os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the node."""
    step = Step(os.environ[VARIABLE])
    ask, write = EnclaveClient._ask, Writer.write

    async def asks(client: EnclaveClient, word: str, body: rlp.Item) -> rlp.Decoded:
        step.at(word, "before", client.pid)
        answer = await ask(client, word, body)
        step.at(word, "after", client.pid)
        return answer

    async def writes(writer: Writer, *what: Any) -> None:
        step.at("write", "before")
        await write(writer, *what)
        step.at("write", "after")

    EnclaveClient._ask, Writer.write = asks, writes  # type: ignore[method-assign]
    sys.argv[1:1] = ["up"]
    runpy.run_module("keymoot.cli", run_name="__main__")


if __name__ == "__main__":
    main()
