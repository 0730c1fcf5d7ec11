"""Folders of apps, for tests."""

from pathlib import Path

MANIFEST = """\
name = "yield"
version = "1.2.3"
description = "Moves idle USDC to the vault that pays most."
command = ["python3", "agent.py"]
include = ["agent.py", "yields/**", "requirements.txt"]
requirements = "requirements.txt"
secrets = ["OPENAI_API_KEY"]

[resources]
memory_mib = 256
cpus = 2
"""
PINNED = f"httpx==0.28.1 \\\n    --hash=sha256:{'0a' * 32} \\\n    --hash=sha256:{'0b' * 32}\n"
FILES = {
    "keymoot.toml": MANIFEST,
    "agent.py": "print('hello')\n",
    "yields/best.py": "BEST = 1\n",
    "yields/deep/er.py": "",
    "requirements.txt": PINNED,
}
NO_SECRETS = MANIFEST.replace('secrets = ["OPENAI_API_KEY"]', "")
"""The manifest of an app that asks for none."""


def app_folder(folder: Path, files: dict[str, str] | None = None) -> Path:
    """Write an app, in the order in which the files are named."""
    for path, text in (FILES if files is None else files).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    return folder
