"""`keymoot app`: from a folder to an app that anybody can build anew and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from keymoot.cli.output import EXIT_ERROR, CommandFailed, fail, fields, result, say, warn_simulated
from keymoot.cli.request_files import bytes_of

if TYPE_CHECKING:
    from keymoot.image.bundle import Bundle

app = App(
    name="app",
    help="Apps: what an agent is made of, and which code the network serves.",
    help_format="markdown",
)

HERE = Path()


@app.command
def init(folder: Path = HERE, *, name: str | None = None) -> None:
    """Write a manifest and a first agent into a folder; what is there already stays.

    Args:
        folder: Where; made if it is not there.
        name: The app's name: lower-case letters, digits and hyphens. Default: the folder's.
    """
    from keymoot.agent.new_file import write_new
    from keymoot.image.manifest import FILE, parse_manifest
    from keymoot.image.starter import starter_files

    files = starter_files(name or folder.resolve().name.lower())
    parse_manifest(files[FILE])
    there = [path for path in files if (folder / path).exists()]
    if FILE in there:
        fail(f"{folder / FILE} is there already: edit it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        if path not in there:
            write_new(folder / path, content)
    say(f"wrote {', '.join(path for path in files if path not in there)} in {folder}")
    say(f"Next: keymoot app build {folder}" if folder != HERE else "Next: keymoot app build")


@app.command
def build(folder: Path = HERE, *, out: Path | None = None, json: bool = False) -> None:
    """Make the bundle of a folder, the same bytes on every machine, and measure it.

    Args:
        folder: The folder with `keymoot.toml`.
        out: Where to write it; default NAME-VERSION.bundle in the folder.
        json: Print the result as JSON.
    """
    from keymoot.cli.kept import replace_bytes
    from keymoot.image.source import SUFFIX
    from keymoot.image.source import build as build_folder

    bundle = build_folder(folder)
    described = bundle.described
    path = out or folder / f"{described.name}-{described.version}{SUFFIX}"
    if path.suffix != SUFFIX:
        fail(f"a bundle's name ends with {SUFFIX}, so that no bundle holds another: {path}")
    raw = bundle.to_bytes()
    replace_bytes(path, raw)
    shown = {
        "bundle": str(path),
        "files": len(bundle.files),
        "bytes": len(raw),
        "measurement": bundle.measurement.hex0x,
    }
    result(shown, fields(shown), as_json=json)


@app.command
def verify(
    folder: Path = HERE,
    *,
    bundle: Path | None = None,
    app: str | None = None,
    url: str | None = None,
    json: bool = False,
) -> None:
    """Build the folder anew and compare: is that app, or that bundle, made of this source?

    Exit status 1, with what differs, if it is not. An app is made of this source if the ledger
    admits what the folder measures, and nothing else.

    Args:
        folder: The source, with `keymoot.toml`.
        bundle: A bundle that somebody gave you, to compare with instead of an app.
        app: The app's id, rofl1…; default what the folder is on this network.
        url: The Keymoot RPC.
        json: Print the result as JSON.
    """
    from keymoot.image.compare import differences
    from keymoot.image.source import build as build_folder

    if bundle is not None and (app or url):
        fail("compare with one thing at a time: --bundle, or an app")
    ours = build_folder(folder)
    shown: dict[str, Any] = {"measurement": ours.measurement.hex0x}
    if bundle is not None:
        theirs, what = read_bundle(bundle), str(bundle)
        shown["there"] = theirs.measurement.hex0x
        differ = differences(ours, theirs)
    else:
        from keymoot.cli.deploy import check_admits, view_of

        views, view = view_of(folder, app, url)
        what = view.app.text
        shown |= {"app": what, "height": view.header.height}
        differ = check_admits(ours, view)
        warn_simulated(simulated=views.network.identity().simulated)
    verdict = "not the same: {} is not made of {}" if differ else "the same: {} is made of {}"
    lines = [verdict.format(what, folder.resolve()), *differ, *fields(shown)]
    result(shown | {"same": not differ, "differences": differ}, lines, as_json=json)
    if differ:
        raise CommandFailed(EXIT_ERROR)


def read_bundle(path: Path) -> "Bundle":
    """Read a bundle's file, or end the command with the reason."""
    from keymoot.base.errors import Malformed
    from keymoot.image.bundle import MAX_BUNDLE_BYTES, Bundle

    try:
        return Bundle.read(bytes_of(path, MAX_BUNDLE_BYTES))
    except Malformed as error:
        fail(f"{path}: {error}")
