"""`python -m demo`, in a checkout: tells the whole story."""

import sys
from io import TextIOWrapper
from pathlib import Path

from cyclopts import App, Parameter

from demo.story import tell
from keymoot.cli.main import run

app = App(name="python -m demo", help_format="markdown", default_parameter=Parameter(negative=""))


@app.default
def show(*, short: bool = False, keep: Path | None = None) -> int:
    """Show the whole story with a real Ethereum node beside it, in a minute or two.

    Args:
        short: Fewer rounds, for tests.
        keep: Leave the demo's folder here, to look at afterwards.
    """
    return tell(short=short, keep=keep)


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that cannot show a sign shows another one.
        sys.stdout.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:], app))
