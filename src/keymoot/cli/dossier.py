"""`keymoot inspect FILE`: check a file of proofs with no network, step by step."""

from pathlib import Path
from typing import Any

from keymoot.cli.output import EXIT_ERROR, CommandFailed, fail, note, result, say


def begins_as_json(name: str) -> bool:
    try:
        with Path(name).open("rb") as file:
            return file.read(64).lstrip()[:1] == b"{"
    except (OSError, ValueError):
        return False


def check_file(name: str, network: str | None, *, as_json: bool) -> None:
    """Check a file; show each step that holds, what is left to believe, or what does not hold."""
    from keymoot.base.errors import KeymootError
    from keymoot.base.fixed import NetworkId
    from keymoot.base.hexes import parse_data
    from keymoot.base.strict_json import parse
    from keymoot.proof.dossier import MAX_DOSSIER_BYTES, Dossier, assumptions

    pinned, held, left, wrong = None, [], [], None
    try:
        if network is not None:
            pinned = NetworkId(parse_data(network, "--network", NetworkId.LENGTH))
        told = parse(_read(name, MAX_DOSSIER_BYTES + 1), MAX_DOSSIER_BYTES)
        if isinstance(told, dict) and told.keys() == {"jsonrpc", "id", "result"}:
            told = told["result"]
        dossier = Dossier.from_json(told)
        for step in dossier.examine(pinned):
            held.append(step)  # noqa: PERF402  what held before an error is shown
        founded = dossier.founding.check(dossier.network)
        left = assumptions(founded, pinned=pinned is not None)
    except KeymootError as error:
        wrong = error
    _show(held, left, wrong, as_json=as_json)
    if wrong is not None:
        raise CommandFailed(EXIT_ERROR)


def _read(name: str, most: int) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(most)
    except OSError as error:
        fail(f"{name[:66]} cannot be read: {error.strerror}")


def _show(held: list[Any], left: list[str], wrong: Any, *, as_json: bool) -> None:
    if as_json:
        shown = {
            "holds": wrong is None,
            "checked": [{"step": step.name, "says": step.says} for step in held],
            "assumptions": left,
            "error": None if wrong is None else {"code": wrong.code, "message": str(wrong)},
        }
        result(shown, [], as_json=True)
    else:
        width = max((len(step.name) for step in held), default=0)
        for held_step in held:
            say(f"holds    {held_step.name.ljust(width)}  {held_step.says}")
        for text in left:
            say(f"believed {text}")
    if wrong is not None:
        after = f"after {held[-1].name}" if held else "at the beginning"
        note(f"error: this file proves nothing, {after}: {wrong}")
