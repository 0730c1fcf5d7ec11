"""`keymoot agent`: run an agent beside its daemon."""

import os
import pwd
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from keymoot.cli.output import EXIT_USAGE, CommandFailed, fail, note, warn_simulated

if TYPE_CHECKING:
    from keymoot.agent.app_instance import Produce
    from keymoot.agent.network import Network
    from keymoot.base.fixed import AppId, WalletId
    from keymoot.image.bundle import Bundle

app = App(
    name="agent",
    help="Agents: run one, with what its app may have.",
    help_format="markdown",
)

HERE = "."


@app.command
def run(
    command: Annotated[list[str] | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    app: str = HERE,
    socket: Path | None = None,
    wallet: list[str] | None = None,
    measurement: str | None = None,
    user: str | None = None,
    url: str | None = None,
) -> int:
    """Register an instance of an app, serve its sockets, and run the agent until it is done.

    The agent finds KEYMOOT_SOCKET and DSTACK_SIMULATOR_ENDPOINT in its environment, and the app's
    secrets. It speaks ROFL's, dstack's or Keymoot's own interface there, and gets what the app's
    policy allows. Where it fails it is started again, later each time. Signals go to it.

    Args:
        command: The agent and its arguments, behind `--`. Default: what the manifest says, in a
            folder of its own with the bundle's files.
        app: A folder with `keymoot.toml`, or an app's id, rofl1….
        socket: Where to answer instead of /run/rofl-appd.sock; dstack.sock stands beside it,
            instead of /var/run/dstack.sock.
        wallet: A wallet that was granted to the app, by its name here or NAME=0xID; may be
            repeated.
        measurement: What SIMULATED evidence shows where the app is named by its id; for
            development.
        user: Run the agent as this user, who alone may ask then; needs root.
        url: The Keymoot RPC.
    """
    from keymoot.agent.app_instance import AppInstance, InstanceKeys
    from keymoot.cli import settings
    from keymoot.daemon.agent_process import AgentProgram
    from keymoot.daemon.joined import JoinedInstance
    from keymoot.daemon.run import Daemon, Sockets, variables
    from keymoot.daemon.run import run as run_daemon
    from keymoot.daemon.unpacked import unpacked
    from keymoot.enclave.harden import forbid_dumps

    forbid_dumps()
    who = _user(user)
    network = settings.network(url)
    simulated = network.identity().simulated
    warn_simulated(simulated=simulated)
    identifier, bundle = _app_of(app, network)
    program = tuple(command or (bundle.described.command if bundle else ()))
    if not program:
        fail("name the agent behind --, such as -- python3 agent.py", EXIT_USAGE)
    produce = _machine(bundle, measurement, simulated=simulated)
    wallets = dict(_wallet(option, network) for option in wallet or ())
    keys = InstanceKeys.new()
    if network.balance(keys.address) < settings.FEES_WEI:
        note("asking the development network's faucet for ledger tokens")
        network.faucet(keys.address)
    instance = AppInstance(network, identifier, keys, produce)
    joined = JoinedInstance(instance, produce, wallets)
    daemon, sockets = Daemon(joined, note, who[0]), Sockets.at(socket)
    given = variables(daemon, sockets, os.environ, note)
    with unpacked(bundle, *who) if bundle else nullcontext() as folder:
        agent = AgentProgram(program, given, who[0], who[1], folder)
        return run_daemon(daemon, agent, sockets, note)


def _app_of(named: str, network: "Network") -> "tuple[AppId, Bundle | None]":
    from keymoot.base.fixed import AppId
    from keymoot.cli import deployments
    from keymoot.image.source import build

    if named.startswith("rofl1"):
        return AppId.from_text(named), None
    folder = Path(named)
    bundle = build(folder)
    return deployments.find(folder, network.identity().network), bundle


def _machine(bundle: "Bundle | None", measurement: str | None, *, simulated: bool) -> "Produce":
    """Give what makes evidence of this machine: its own, or SIMULATED where the network is."""
    from keymoot.agent.app_instance import simulated as simulated_machine
    from keymoot.base.fixed import Measurement
    from keymoot.daemon.machine import produce_here

    if not simulated:
        return produce_here()
    if measurement is not None:
        return simulated_machine(Measurement.from_hex(measurement))
    if bundle is None:
        fail("say with --measurement what SIMULATED evidence shows, or name the app's folder")
    return simulated_machine(bundle.measurement)


def _wallet(text: str, network: "Network") -> "tuple[str, WalletId]":
    from keymoot.base.fixed import WalletId
    from keymoot.cli import address_book

    name, _, identifier = text.partition("=")
    if identifier:
        return _plain(name), WalletId.from_hex(identifier)
    entry = address_book.find(name, network.identity().network.hex0x)
    return _plain(entry.name), WalletId.from_hex(entry.wallet)


def _plain(name: str) -> str:
    """Give a name that can stand in a path."""
    if (
        not name
        or not all(letter.isalnum() or letter in "._-" for letter in name)
        or not name.isascii()
    ):
        fail(f'"{name}" cannot stand in a path: give the wallet another name, as NAME=0xID')
    return name


def _user(name: str | None) -> tuple[int | None, int | None]:
    if name is None:
        return None, None
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        fail(f'there is no user "{name}" on this machine')
    if os.geteuid() != 0 and user.pw_uid != os.geteuid():
        note("error: only root may run an agent as another user")
        raise CommandFailed(EXIT_USAGE)
    return user.pw_uid, user.pw_gid
