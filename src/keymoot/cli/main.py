"""`keymoot`: the command line. Its help is made of the docstrings below."""

import gc
import sys
from pathlib import Path

from cyclopts import App, Parameter

from keymoot.cli import agent, deploy, inspect, key, lists, net, owner, policy, sign, wallet
from keymoot.cli import app as app_commands
from keymoot.cli.admission import read_admission
from keymoot.cli.options import Port, Positive, Whole
from keymoot.cli.output import (
    EXIT_ERROR,
    EXIT_REFUSED,
    EXIT_STOPPED,
    EXIT_USAGE,
    CommandFailed,
    note,
)

HELP = """Keys that nobody holds, for agents that act on chains.

Keymoot signs your agent's transactions under rules that the agent cannot
change. You, the owner, make a wallet, give it a policy and a recovery
address, and grant your agent a credential that can only ask. Every wish is
decoded, held against the policy, and either signed by the enclaves or
refused with a reason that stays on the ledger.

  keymoot up                                 a network on this machine
  keymoot key new owner.json                 your own key
  keymoot wallet create yield --owner owner.json
  keymoot policy check rules.json --tx tx.json
  keymoot wallet policy yield rules.json --owner owner.json
  keymoot wallet grant yield --owner owner.json --out yield.cred
  export KEYMOOT_CREDENTIAL=yield.cred
  keymoot wallet sign yield tx.json

The Keymoot RPC (--url, KEYMOOT_URL; default http://127.0.0.1:8645) is the
key network's own ledger; name several nodes of it with commas, and the next
one is asked where one fails. The target RPC is the chain on which your agent
acts. Exit status: 0 done, 1 failed, 2 wrong use, 3 refused by policy,
4 warnings that nobody accepted, 75 not done in time and still under way,
130 stopped by Ctrl-C.

SIMULATED enclaves, unaudited: test funds only."""

MIN_EPOCH_SECONDS = 60
"""An epoch's end takes seconds of everyone's time, and burns the stock."""

app = App(
    name="keymoot",
    help=HELP,
    help_format="plaintext",
    version_flags=["--version"],
    default_parameter=Parameter(negative=""),
)
app.command(key.app)
for command in (*owner.COMMANDS, sign.sign):
    wallet.app.command(command)
app.command(wallet.app)
app.command(policy.app)
app_commands.app.command(deploy.create)
app_commands.app.command(deploy.deploy)
app_commands.app.command(deploy.show)
app_commands.app.command(lists.app)
app.command(app_commands.app)
app.command(agent.app)
app.command(net.app)
app.command(inspect.inspect, help_format="markdown")


@app.command(help_format="markdown")
def up(
    *,
    data: Path | None = None,
    port: Port = None,
    host: str = "127.0.0.1",
    nodes: Whole | None = None,
    epoch_seconds: Whole | None = None,
    block_time: Positive | None = None,
    admission: Path | None = None,
    keep_dealings: bool = False,
    allow_host: list[str] | None = None,
    allow_origin: list[str] | None = None,
) -> int:
    """Run a network on this machine until Ctrl-C; the next `up` continues it.

    SIGTERM, and the end of the terminal (SIGHUP), stop it as Ctrl-C does; under `nohup` it goes on
    without its terminal.

    Args:
        data: The data folder; default ~/.local/share/keymoot/network. The simulated CPU's fuse
            file stands outside it (KEYMOOT_SIMULATED_CPU names another).
        port: Where Keymoot RPC answers; default 8645, 0 for any free port.
        host: Address to listen on. Anything but loopback lets others ask for signatures'
            statuses and spend your machine's time.
        nodes: Enclaves of a new network, 4 to 64; default 4. Of 4, any 2 that are broken hold
            the wallets' root; of 7, any 3; of 13, any 5. An existing network keeps its number,
            and another one here is refused: `keymoot net join` and `net leave` change it.
        epoch_seconds: How long the enclaves of a new network keep their shares before they
            share the roots anew; at least 60, default 3600. `keymoot net turn` does it now. An
            existing network keeps its own, and another one here is refused.
        block_time: Make an empty block so many seconds after the last one, when nothing waits;
            otherwise only transactions make blocks, and who waits for more of them waits long.
        admission: A file of JSON that says which nodes on hardware a new network lets in, and
            that no maker of enclaves holds a key; see docs/attestation.md. The enclaves of this
            release are all SIMULATED, so a mix cannot be founded with them.
        keep_dealings: Keep what enclaves deal each other for ever, about 6 KB a signature;
            otherwise the newest 128 blocks have it.
        allow_host: A name by which others call this node, such as keymoot.lan; may be repeated.
            Its own addresses always work.
        allow_origin: A web page that may use this node, such as https://app.example, or a
            wallet's extension, chrome-extension://ID; may be repeated. No page may otherwise.
    """
    if epoch_seconds is not None and epoch_seconds < MIN_EPOCH_SECONDS:
        note(f"error: an epoch lives at least {MIN_EPOCH_SECONDS} seconds, got {epoch_seconds}")
        return EXIT_USAGE
    from keymoot.base.errors import Malformed

    try:
        from keymoot.gateway.door import host_named, origin_named
        from keymoot.node.config import DEFAULT_PORT, Config, default_data, default_fuse
        from keymoot.node.server import serve
        from keymoot.threshold.committee import MAX_SIZE, MIN_SIZE
    except ModuleNotFoundError as error:
        note(f"error: {error.name} is missing: install the server with `pip install keymoot[node]`")
        return EXIT_ERROR
    if nodes is not None and not MIN_SIZE <= nodes <= MAX_SIZE:
        note(f"error: a network has {MIN_SIZE} to {MAX_SIZE} enclaves, got --nodes {nodes}")
        return EXIT_USAGE
    try:
        hosts = tuple(host_named(name) for name in allow_host or ())
        origins = tuple(origin_named(name) for name in allow_origin or ())
    except Malformed as error:
        note(f"error: {error}")
        return EXIT_USAGE
    asked, codes = (None, ()) if admission is None else read_admission(admission)
    folder = data or default_data()
    return serve(
        Config(
            folder,
            default_fuse(),
            host,
            DEFAULT_PORT if port is None else port,
            nodes,
            epoch_seconds,
            block_time,
            keep_dealings=keep_dealings,
            allow_hosts=hosts,
            allow_origins=origins,
            admission=asked,
            measurements=codes,
        )
    )


def main() -> None:
    status = run(sys.argv[1:])
    # The process ends, and looks no more at what it leaves.
    gc.freeze()
    sys.exit(status)


def run(arguments: list[str], program: App = app) -> int:
    """Run a command of ours, or of a program beside ours, and give its exit status."""
    from keymoot.base.errors import KeymootError

    try:
        command, bound, _ = program.parse_args(
            arguments, exit_on_error=False, print_error=True, help_on_error=False
        )
    except SystemExit as stop:
        return int(stop.code or 0)
    except Exception:
        return EXIT_USAGE
    try:
        if not isinstance(getattr(command, "__self__", None), App):
            # Help and the version make no garbage worth looking for; a command may.
            gc.enable()
        status = command(*bound.args, **bound.kwargs)
        # What was not written was not done.
        sys.stdout.flush()
    except CommandFailed as failed:
        return failed.status
    except KeymootError as error:
        note(f"error: {error}")
        return EXIT_REFUSED if error.code == "POLICY_REFUSED" else EXIT_ERROR
    except KeyboardInterrupt:
        note("stopped")
        return EXIT_STOPPED
    except BrokenPipeError:
        return EXIT_ERROR
    except OSError as error:
        note(f"error: {error.filename or 'the output'}: {error.strerror or error}")
        return EXIT_ERROR
    finally:
        gc.enable()
    return status if isinstance(status, int) else 0
