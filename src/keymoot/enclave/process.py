"""The enclave's process: it reads messages from its one socket until that ends."""

import argparse
import gc
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from keymoot.base import rlp
from keymoot.base.errors import Fault, KeymootError, Malformed, Refused
from keymoot.base.fixed import Measurement
from keymoot.enclave import boot, frames, listing, messages
from keymoot.enclave.boot import Code
from keymoot.enclave.harden import die_with_parent, forbid_dumps
from keymoot.enclave.measurement import code_of, own_package
from keymoot.enclave.queries import Watch
from keymoot.enclave.query_thread import QueryThread
from keymoot.enclave.remote import Remote
from keymoot.enclave.sealed_file import CannotUnseal
from keymoot.enclave.service import Enclave
from keymoot.enclave.simulated import SimulatedPlatform, read_fuse

EXIT_CANNOT_START = 3

Answering = Callable[[Watch | None], rlp.Item]
Aside = Callable[[int, Answering], None]
"""Takes what answers the query of a number."""

STANDARD_INPUT = 0
"""Where the node's socket is: a number of its own could be too large for some calls."""

SWITCH_SECONDS = 0.001
"""How long the worker may keep the interpreter from the thread that answers."""


GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""How many new objects, and collections of younger ones, come before each collection."""


def main(code: Code | None = None) -> int:
    """Serve one server over the socket at standard input; `code` was measured, and runs."""
    code = code if code is not None else code_of(own_package())
    parser = argparse.ArgumentParser(description="The enclave of a Keymoot node (SIMULATED).")
    parser.add_argument("--folder", type=Path, required=True, help="where sealed files live")
    parser.add_argument("--data", type=Path, required=True, help="the node's data folder")
    parser.add_argument("--reads", type=int, required=True, help="inherited socket of its reads")
    parser.add_argument("--fuse", type=Path, required=True, help="the simulated CPU's fuse file")
    options = parser.parse_args()
    # Ctrl-C goes to the whole terminal; the server ends us by closing the socket.
    # So does the end of the terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_SECONDS)
    # What was imported stays; cycles are rare here, and looking for them costs a block's time.
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    die_with_parent()
    forbid_dumps()
    try:
        inherited = socket.socket(fileno=STANDARD_INPUT), socket.socket(fileno=options.reads)
    except OSError:
        parser.error("it speaks over sockets of the node's: `keymoot up` starts enclaves")
    with inherited[0] as channel, inherited[1] as reads:
        try:
            fuse = read_fuse(options.fuse, options.data, options.folder)
            options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            platform = SimulatedPlatform(fuse, Measurement(boot.measure(code.parts())))
            lock = threading.Lock()

            def send(raw: bytes) -> None:
                # A server that is gone hears nothing; the main loop ends by itself.
                with lock, suppress(OSError):
                    channel.sendall(messages.frame(0, messages.SEND, raw))

            enclave = Enclave(options.folder, platform, Remote(reads), send)
        except (KeymootError, OSError) as error:
            word = error.code if isinstance(error, KeymootError) else "CANNOT_START"
            why = listing.changes(options.folder, code) if isinstance(error, CannotUnseal) else ""
            words = f"{error}; {why}" if why else str(error)
            with suppress(OSError):
                channel.sendall(messages.frame(0, word, words.encode()))
            return EXIT_CANNOT_START
        listing.note(options.folder, code)
        # A server that is gone by now is met again where its first message is read.
        with suppress(OSError):
            channel.sendall(messages.frame(0, messages.OK, b""))
        serve(channel, enclave, lock)
    return 0


def serve(channel: socket.socket, enclave: Enclave, lock: threading.Lock) -> None:
    """Answer messages until the other end closes; look for tasks when one is done."""
    woken, waker = socket.socketpair()
    woken.settimeout(0)
    enclave.wake = lambda: _poke(waker)
    with woken, waker, selectors.DefaultSelector() as selector:
        for each in (channel, woken):
            selector.register(each, selectors.EVENT_READ)
        _serve(channel, woken, selector, enclave, lock)


def _serve(
    channel: socket.socket,
    woken: socket.socket,
    selector: selectors.BaseSelector,
    enclave: Enclave,
    lock: threading.Lock,
) -> None:
    sideline = QueryThread()

    def send(frame: bytes) -> None:
        with lock:
            channel.sendall(frame)

    def aside(number: int, answer: Answering) -> None:
        def work(watch: Watch) -> None:
            # A server that is gone hears nothing.
            with suppress(OSError):
                send(_framed(number, lambda: answer(watch)))

        sideline.put(work)

    while True:
        readable = {key.fileobj for key, _ in selector.select()}
        if channel not in readable:
            with suppress(BlockingIOError):
                woken.recv(4096)
            with sideline.makes_way():
                enclave.poll()
            continue
        head = _read(channel, messages.LENGTH_BYTES)
        if head is None:
            return
        length = int.from_bytes(head, "big")
        if length > messages.MAX_FRAME_BYTES:
            return
        payload = _read(channel, length)
        if payload is None:
            return
        with sideline.makes_way():
            answer = respond(enclave, payload, aside)
        try:
            send(answer) if answer else None
        except OSError:
            return


def respond(enclave: Enclave, payload: bytes, aside: Aside | None = None) -> bytes:
    """Give the answer to one frame, without its length; a refusal is an answer too.

    The answers to queries, which `aside` takes, follow: nothing is given for them then.
    """
    number = 0
    try:
        number, word, body = messages.parse(payload)
        if aside is not None and word == frames.QUERY:
            aside(number, enclave.query(body))
            return b""
        return messages.frame(number, messages.OK, enclave.handle(word, body))
    except (Refused, Fault, Malformed) as error:
        return messages.frame(number, error.code, str(error).encode())


def _framed(number: int, make: Callable[[], rlp.Item]) -> bytes:
    """Give the answer to a query; whatever it meets ends the query and nothing else."""
    try:
        return messages.frame(number, messages.OK, make())
    except KeymootError as error:
        return messages.frame(number, error.code, str(error).encode())
    except Exception:  # noqa: BLE001  its words may hold what the query has read
        return messages.frame(number, "QUERY_FAILED", b"the query met what the code did not expect")


def _poke(waker: socket.socket) -> None:
    with suppress(OSError):
        waker.send(b"!")


def _read(channel: socket.socket, count: int) -> bytes | None:
    """Give so many bytes; None where the server is gone, whatever it had not read yet."""
    parts = bytearray()
    while len(parts) < count:
        try:
            part = channel.recv(min(count - len(parts), 1 << 20))
        except ConnectionError:
            part = b""
        if not part:
            return None
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    sys.exit(main())
