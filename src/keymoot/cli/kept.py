"""Files in which commands keep what they know from one to the next."""

from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it was; its folder is made where there is none.

    Raises:
        OSError: the disk does not take it.
    """
    fresh = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
