"""The host attacks, and the demo tells the truth about each attack."""

from pathlib import Path

from demo import yesterday
from demo.host import copied, patched_code, steal
from demo.network import LocalNetwork
from demo.stage import QUOTA, Stage
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.views import WalletView
from keymoot.base.fixed import Address
from keymoot.enclave.measurement import measure, own_package
from keymoot.node.config import DEFAULT_NODES
from keymoot.threshold.committee import Committee

DEGREE = Committee.of(DEFAULT_NODES).ecdsa_degree
"""So many broken enclaves hold nothing of a key that is kept in shares."""


def try_all(stage: Stage) -> None:
    """Try the five attacks."""
    savings = stage.owner.create("savings", Address.from_hex(stage.recovery), QUOTA, in_vault=True)
    stage.report.say("the owner has one more wallet, savings: its key lies whole, sealed, in Vault")
    credential = yesterday.prepare(stage)
    stage.network.stop()
    copy = copied(stage.network.data, stage.folder / "stolen")
    before = copied(stage.network.data, stage.folder / "yesterday")
    with _double(stage.folder / "double") as double:
        double.begin()
        _without_fuses(stage, copy, savings)
        _search_double(stage, double)
    stage.network.begin()
    _with_one_fuse(stage, copy, savings)
    _with_enough_fuses(stage, copy)
    stage.network.wait()
    yesterday.put_back(stage, credential, before)


def _without_fuses(stage: Stage, copy: Path, savings: WalletView) -> None:
    """Search the files; then run code that is patched, with whatever keys there are."""
    report = stage.report
    searched = steal("search", copy, savings)
    size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
    report.say(f"a copy of the folder, {size / 1e6:.1f} MB: {searched.tried} candidate keys tried")
    safe = not searched.has_key and searched.tried > 0
    report.attack(
        "1. a copy of the folder, no fuse key", "not found" if safe else "FOUND", "sealing"
    )
    report.hold("(1) a copy of the folder without the fuse key: the key is not found", true=safe)
    code = patched_code(stage.folder / "source")
    claim = ("--claim", measure(own_package()).hex())  # quotes show it to everybody
    fuse, made_up = ("--fuse", stage.network.fuse), ("--fuse", stage.folder / "made-up" / "fuse")
    honest = steal("open", copy, savings, "--vault", *fuse, code=code)
    lying = steal("open", copy, savings, "--vault", *made_up, *claim, code=code)
    control = steal("open", copy, savings, "--vault", *fuse, *claim, code=code)
    report.say(f"patched code with the fuse key: {honest.why}, it measures differently")
    report.say(f"patched code that lies about its measurement, no fuse key: {lying.why}")
    report.hold(
        "(1) patched code opens nothing; with the fuse key, if it lies, it does",
        true=(honest.why, lying.why, control.why) == ("CANNOT_UNSEAL", "CANNOT_UNSEAL", "")
        and control.has_key,
    )


def _double(folder: Path) -> LocalNetwork:
    """Give a network that seals nothing, in a folder of its own."""
    folder.mkdir()
    fuse = folder / "cpu" / "fuse.key"
    return LocalNetwork(folder / "data", fuse, folder / "up.log", module=("demo.unsealed",))


def _search_double(stage: Stage, double: LocalNetwork) -> None:
    """Make the same wallet where nothing is sealed, and search in the same way."""
    double.wait()
    owner = Owner(double.network(), new_key())
    owner.network.faucet(owner.address)
    wallet = owner.create("savings", Address.from_hex(stage.recovery), QUOTA, in_vault=True)
    double.stop()
    searched = steal("search", double.data, wallet)
    found = searched.has_key and bool(searched.places)
    stage.report.say(f"a network whose sealing is a double: {searched.tried} candidate keys tried")
    stage.report.attack(
        "2. the same search, nothing sealed",
        "found" if found else "NOT FOUND",
        "the search works",
    )
    stage.report.hold("(2) the same search where nothing is sealed: the key is found", true=found)


def _with_one_fuse(stage: Stage, copy: Path, savings: WalletView) -> None:
    """Break as many enclaves as the degree allows."""
    report = stage.report
    held = _break(stage, copy, DEGREE)
    report.attack(
        f"3. fuse keys of {DEGREE} of {DEFAULT_NODES} enclaves",
        "FOUND" if held else "not found",
        "the threshold",
    )
    report.hold(
        f"(3) what {DEGREE} broken enclave has does not yield the wallet's key", true=not held
    )
    known = steal("open", copy, savings, "--vault", "--fuse", stage.network.fuse)
    report.hold(
        "(3) but any one of them yields a key in Vault, where it lies whole", true=known.has_key
    )
    report.hold(
        "(1) that key, now known, stands in no byte of the copy, in no form",
        true=known.has_key and not known.places,
    )


def _with_enough_fuses(stage: Stage, copy: Path) -> None:
    """Break one enclave more."""
    enough = DEGREE + 1
    stage.report.say(
        f"{enough} broken enclaves hold the root: hardware must prevent that, and more "
        "enclaves raise the number"
    )
    broken = _break(stage, copy, enough)
    stage.report.attack(
        f"4. fuse keys of {enough} of {DEFAULT_NODES} enclaves",
        "found" if broken else "NOT FOUND",
        "hardware must prevent it",
    )
    stage.report.hold(f"(4) {enough} together do: that is the threshold", true=broken)


def _break(stage: Stage, copy: Path, count: int) -> bool:
    """Tell whether so many broken enclaves yield the key that is kept in shares."""
    seats = ",".join(map(str, range(1, count + 1)))
    loot = steal("open", copy, stage.wallet, "--fuse", stage.network.fuse, "--seats", seats)
    return loot.has_key and not loot.why
