"""What the node says may be lost; the node is not."""

import os

import structlog

from keymoot.node.admin.screen import Screen


def test_what_is_said_is_written_whole() -> None:
    ours, theirs = os.pipe()
    log = structlog.PrintLoggerFactory(Screen(theirs))()  # type: ignore[arg-type]
    log.info("a line")
    os.close(theirs)
    assert os.read(ours, 100) == b"a line\n"
    os.close(ours)


def test_a_full_disk_and_a_closed_terminal_lose_lines_only() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    structlog.PrintLoggerFactory(Screen(full))().info("lost")  # type: ignore[arg-type]
    os.close(full)
    ours, theirs = os.pipe()
    os.close(ours)
    assert Screen(theirs).write("lost too\n") == len("lost too\n")
    os.close(theirs)
