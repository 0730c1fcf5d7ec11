"""A process's memory, read as root does, and searched for secrets."""

from pathlib import Path

_LIMB_BITS = 30
"""Digits of Python's integers, each in four bytes."""


def memory_of(pid: int) -> bytes:
    """Give all that a process holds beside mapped files: heap, stacks, anonymous pages.

    Raises:
        PermissionError: whoever runs the tests may not look into that process.
    """
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, _, _, inode, *name = line.split(maxsplit=5)
            if "r" not in rights or inode != "0" or name[:1] in (["[vvar]"], ["[vsyscall]"]):
                continue
            begin, end = (int(one, 16) for one in place.split("-"))
            memory.seek(begin)
            try:
                found.append(memory.read(end - begin))
            except OSError:
                # Pages that nobody has, such as guards of stacks.
                continue
    return b"\n".join(found)


def held_in(memory: bytes, secrets: dict[str, bytes]) -> list[str]:
    """Name the secrets that stand in memory: as bytes, text, or a Python integer."""
    return [
        name for name, secret in secrets.items() if any(one in memory for one in _forms(secret))
    ]


def _forms(secret: bytes) -> list[bytes]:
    limbs = [_limbs(int.from_bytes(secret, order)) for order in ("big", "little")]
    return [secret, secret[::-1], secret[4:28], secret.hex()[8:56].encode(), *limbs]


def _limbs(number: int) -> bytes:
    count = -(-number.bit_length() // _LIMB_BITS)
    mask = (1 << _LIMB_BITS) - 1
    return b"".join(
        (number >> (_LIMB_BITS * at) & mask).to_bytes(4, "little") for at in range(count)
    )
