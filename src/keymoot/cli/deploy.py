"""`keymoot app`, the ledger's half: create an app, and say what code may be an instance of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from keymoot.cli import deployments, settings
from keymoot.cli.app_policy import Change, changes, policy_in_words, shown_policy
from keymoot.cli.options import ActingOwner, NotNegative, RawKeys, Whole
from keymoot.cli.output import confirm, fail, fields, note, result, warn_simulated
from keymoot.cli.secret_file import read_secrets

if TYPE_CHECKING:
    from keymoot.agent.app_admin import AppAdmin
    from keymoot.agent.app_views import AppView, AppViews
    from keymoot.base.secret import Secret
    from keymoot.image.bundle import Bundle

HERE = Path()
SIMULATED = "simulated"


def create(folder: Path = HERE, *, by: ActingOwner, json: bool = False) -> None:
    """Create an app on the ledger. It admits nothing yet: `keymoot app deploy` says what.

    You are its admin. Its id is kept in `keymoot.deployments.json`, beside the manifest.

    Args:
        folder: The folder with `keymoot.toml`.
        json: Print the result as JSON.
    """
    from keymoot.base.units import Wei
    from keymoot.contracts.builtin.apps.policy import AppPolicy
    from keymoot.image.source import read_manifest
    from keymoot.policy.names import checksummed

    manifest = read_manifest(folder)
    admin = _admin(by)
    identity = admin.network.identity()
    known = deployments.entries(folder).get(identity.network.hex0x)
    if known is not None:
        fail(
            f"{folder} is {known} on this network already: deploy it, or remove the line "
            f"from {deployments.FILE}"
        )
    settings.provide(admin, Wei(0))
    described = manifest.described
    told = {"name": described.name.encode(), "description": manifest.description.encode()}
    made = admin.create(AppPolicy(), {name: text for name, text in told.items() if text})
    deployments.add(folder, identity.network, made)
    warn_simulated(simulated=identity.simulated)
    shown = {
        "app": made.text,
        "admin": checksummed(admin.address),
        "file": str(folder / deployments.FILE),
    }
    result(shown, fields(shown), as_json=json)
    note(f"next: keymoot app deploy {folder} --owner {by.owner}")


def deploy(
    folder: Path = HERE,
    *,
    by: ActingOwner,
    vendor: list[str] | None = None,
    keep: bool = False,
    lifetime: Whole | None = None,
    raw_keys: RawKeys | None = None,
    most_per_maker: NotNegative | None = None,
    secrets: Path | None = None,
    loosen: bool = False,
    json: bool = False,
) -> None:
    """Build the folder, and admit what it measures as the app's code, at once.

    Instances of what is not admitted any more are out at once, with their keys and signatures.
    What you do not name stays as it is. What you do is shown beside what it was, and whatever lets
    in or gives more than before is done only if you say so: when asked, or with --loosen.

    Args:
        folder: The folder with `keymoot.toml`.
        vendor: Who may vouch for an instance: tdx, sgx, snp, nitro, simulated; may be repeated.
            Default: those that are named now; at first, on a network of simulated enclaves,
            `simulated`.
        keep: Admit what was admitted before as well: while instances change over.
        lifetime: For how many seconds a registration counts; 60 to 604800.
        raw_keys: Whether instances are given derived keys; with --no-raw-keys only signatures of
            wallets are left. An app begins with raw keys.
        most_per_maker: How many live instances one maker of enclaves (Intel, AMD, AWS) may vouch
            for; 0 asks for no mix.
        secrets: A file of NAME=value lines, mode 0600: values of the manifest's `secrets`. They
            are sealed here, to the app; what is not in the file stays as it is.
        loosen: Do it without asking, even if the app demands less then than now.
        json: Print the result as JSON.
    """
    from dataclasses import asdict, replace

    from keymoot.base.units import Seconds, Wei
    from keymoot.image.source import build

    bundle = build(folder)
    admin = _admin(by)
    identity = admin.network.identity()
    app = deployments.find(folder, identity.network)
    view = admin.show(app)
    _check_admin(admin, view, by)
    now = view.policy
    sealed = _sealed(bundle, view, {} if secrets is None else read_secrets(secrets))
    vendors = tuple(sorted(set(vendor or now.vendors or _default(simulated=identity.simulated))))
    earlier = now.measurements if keep else ()
    admitted = tuple(sorted({*earlier, bundle.measurement}))
    policy = replace(
        now,
        measurements=admitted,
        vendors=vendors,
        lifetime_seconds=now.lifetime_seconds if lifetime is None else Seconds(lifetime),
        raw_keys=now.raw_keys if raw_keys is None else raw_keys,
        most_per_maker=now.most_per_maker if most_per_maker is None else most_per_maker,
    )
    made = changes(now, policy)
    gone = sorted(view.secrets.keys() - sealed.keys())
    _announce(made, gone, loosen=loosen)
    settings.provide(admin, Wei(0))
    same = policy == now and sealed == view.secrets
    done = None if same else admin.update(app, policy=policy, secrets=sealed, seen=view)
    warn_simulated(simulated=identity.simulated)
    shown: dict[str, Any] = {
        "app": app.text,
        "admitted": [measurement.hex0x for measurement in admitted],
        "out": [
            measurement.hex0x for measurement in now.measurements if measurement not in admitted
        ],
        "vendors": list(vendors),
        "secrets": sorted(sealed),
        "gone": gone,
        "changes": [asdict(change) for change in made],
        "changed": done is not None,
        "height": None if done is None else done.height,
    }
    lines = [
        f"app     {app.text}",
        *(f"admits  {measurement}" for measurement in shown["admitted"]),
    ]
    lines += [f"out     {measurement}" for measurement in shown["out"]]
    lines += [f"secret  {name}" for name in shown["secrets"]]
    lines.append(f"vouched for by {', '.join(vendors)}")
    if done is None:
        lines.append("nothing has changed: the ledger has it like this already")
    result(shown, lines, as_json=json)


def show(
    folder: Path = HERE, *, app: str | None = None, url: str | None = None, json: bool = False
) -> None:
    """Show an app as the ledger has it, proved: its admin, and what it admits.

    Args:
        folder: The folder of the app.
        app: The app's id, rofl1…, instead of a folder.
        url: The Keymoot RPC.
        json: Print the result as JSON.
    """
    views, view = view_of(folder, app, url)
    shown = told_of(view)
    words = shown | policy_in_words(view.policy)
    lines = fields({name: _line(value) for name, value in words.items()})
    warn_simulated(simulated=views.network.identity().simulated)
    result(shown, lines, as_json=json)


def told_of(view: "AppView") -> dict[str, Any]:
    from keymoot.base.shown import shown

    return {
        "app": view.app.text,
        "admin": _admin_of(view),
        "removed": view.removed,
        "version": view.version,
        "height": view.header.height,
        **shown_policy(view.policy),
        "secrets": sorted(shown(name) for name in view.secrets),
        "metadata": {
            shown(name): shown(value.decode("utf-8", "replace"))
            for name, value in sorted(view.metadata.items())
        },
    }


def check_admits(bundle: "Bundle", view: "AppView") -> list[str]:
    """Say in what an app's code is not just this bundle; nothing if it is."""
    admitted = view.policy.measurements
    others = [measurement.hex0x for measurement in admitted if measurement != bundle.measurement]
    told = []
    if view.removed:
        told.append("the app was removed: it has no instances")
    elif bundle.measurement not in admitted:
        told.append("the app does not admit what this folder gives")
    return told + [f"the app admits other code: {measurement}" for measurement in others]


def view_of(folder: Path, app: str | None, url: str | None) -> "tuple[AppViews, AppView]":
    """Give an app by its id, or by its folder's deployment."""
    from keymoot.agent.app_views import AppViews
    from keymoot.base.fixed import AppId

    views = AppViews(settings.network(url))
    wanted = AppId.from_text(app) if app else None
    return views, views.show(wanted or deployments.find(folder, views.network.identity().network))


def _sealed(bundle: "Bundle", view: "AppView", given: "dict[str, Secret]") -> dict[str, bytes]:
    """Seal what is given, keep what the ledger has, and end the command if one is missing."""
    from keymoot.agent.app_secrets import SecretEnvelope

    wanted = bundle.described.secrets
    unknown = sorted(given.keys() - set(wanted))
    if unknown:
        fail(f"the manifest names no secret {', '.join(unknown)}: add it to `secrets` there")
    kept = {name: view.secrets[name] for name in wanted if name in view.secrets}
    fresh = {
        name: SecretEnvelope.seal(view.secrets_key, name, value).encode()
        for name, value in given.items()
    }
    missing = [name for name in wanted if name not in kept | fresh]
    if missing:
        fail(f"no value for {', '.join(missing)}: write NAME=value into a file for --secrets")
    return kept | fresh


def _check_admin(admin: "AppAdmin", view: "AppView", by: ActingOwner) -> None:
    from keymoot.policy.names import checksummed

    if view.admin != admin.address:
        fail(
            f"{view.app.text} is changed by its admin alone: its admin is {_admin_of(view)}, and "
            f"{by.owner} is {checksummed(admin.address)}"
        )


def _admin_of(view: "AppView") -> str:
    from keymoot.contracts.builtin.apps.record import NOBODY
    from keymoot.policy.names import checksummed

    return "nobody, for ever" if view.admin == NOBODY else checksummed(view.admin)


def _announce(made: tuple[Change, ...], gone: list[str], *, loosen: bool) -> None:
    """Show what changes of an app's demands, and have it confirmed where they become looser."""
    from keymoot.base.shown import shown

    for change in made:
        note(f"changes {change}")
    for name in gone:
        note(f"changes secret {shown(name)}: the manifest names it no more → erased")
    looser = ", ".join(change.what for change in made if change.looser)
    if looser:
        confirm(f"The app demands less than now ({looser}). Do it?", yes=loosen, option="--loosen")


def _line(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {text}" for name, text in value.items()) or "none"
    return str(value)


def _admin(by: ActingOwner) -> "AppAdmin":
    from keymoot.agent.app_admin import AppAdmin

    key = settings.key_of(by.owner, by.password_file)
    return AppAdmin(settings.network(by.url), key)


def _default(*, simulated: bool) -> tuple[str, ...]:
    if simulated:
        return (SIMULATED,)
    fail("say with --vendor who may vouch for an instance: tdx, sgx, snp or nitro")
