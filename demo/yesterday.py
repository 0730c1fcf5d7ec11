"""The last attack: spend a budget, put yesterday's folder back, spend it again."""

import time
from pathlib import Path

from demo.host import copied
from demo.market import USDC
from demo.outside import calldata
from demo.rules import vault_policy
from demo.stage import CREDENTIAL_SECONDS, Stage
from keymoot.agent.account import Account
from keymoot.agent.errors import Unproven
from keymoot.agent.seen import beside
from keymoot.base.units import UnixSeconds
from keymoot.policy.errors import PolicyRefused

TWICE_LIMIT = 1_000 * USDC

UNPROVEN = "refused by the agent itself"


def prepare(stage: Stage) -> Path:
    """Give the agent a budget, while the network runs, and a credential to spend it."""
    stage.set_policy(vault_policy(stage.market, TWICE_LIMIT, limit="twice-day"))
    until = UnixSeconds(int(time.time()) + CREDENTIAL_SECONDS)
    credential = stage.owner.grant(stage.wallet.wallet, "yield", until)
    path = stage.folder / "second.cred"
    credential.save(path)
    return path


def put_back(stage: Stage, path: Path, yesterday: Path) -> None:
    """Spend the budget, put yesterday's folder back, spend it again.

    Args:
        stage: Its network runs.
        path: The credential's.
        yesterday: A copy of the folder, in which nothing is spent.
    """
    network = stage.network
    first = _spend(stage, path, 1)
    again = _spend(stage, path, 2)
    network.stop()
    copied(yesterday, network.data)
    network.start()
    remembers = _spend(stage, path, 3)
    # Root forgets for the agent what it saw.
    beside(path).unlink(missing_ok=True)
    second = _spend(stage, path, 3)
    network.stop()
    twice = (first, again, second) == ("signed", "LIMIT_EXCEEDED", "signed")
    stage.report.say(f"today {first}, then {again}; yesterday's folder back: {remembers}")
    stage.report.hold(
        "(5) the agent saw a later block, and refuses what is before it", true=remembers == UNPROVEN
    )
    stage.report.say(f"once root has deleted the file in which the agent remembers: {second}")
    stage.report.attack(
        "5. yesterday's folder put back",
        "spent twice" if twice else "NOT AS STATED",
        "other machines prevent it",
    )
    stage.report.hold(
        "(5) yesterday's folder: on one machine the budget is spent twice", true=twice
    )


def _spend(stage: Stage, credential: Path, nonce: int) -> str:
    account = Account.connect("yield", url=stage.network.url, credential=credential)
    data = calldata("deposit(uint256,address)", TWICE_LIMIT, stage.agent.address)
    vault = stage.market.vaults[0].address
    fields = stage.agent.fields("deposit", vault, data, nonce=5_000 + nonce)
    try:
        account.sign_transaction(fields)
    except PolicyRefused as error:
        return error.reason
    except Unproven:
        return UNPROVEN
    finally:
        account.close()
    return "signed"
