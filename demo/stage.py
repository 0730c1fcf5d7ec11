"""Who plays: the owner, the wallet, the agent."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from eth_account import Account as EthAccount

from demo.market import USDC, Market
from demo.network import LocalNetwork
from demo.report import Report
from demo.rules import DAY_LIMIT, vault_policy
from demo.strategist import Strategist
from keymoot.agent.account import Account
from keymoot.agent.credential import Credential
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.views import WalletView
from keymoot.base.fixed import Address
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds, Wei
from keymoot.policy.document import parse_policy
from keymoot.policy.names import checksummed, written

START_USDC = 10_000 * USDC
START_WEI = 10**18
QUOTA = Wei(50 * 10**18)
CREDENTIAL_SECONDS = 3_600


@dataclass(slots=True)
class Stage:
    """Everyone, and what they have."""

    report: Report
    network: LocalNetwork
    market: Market
    folder: Path
    owner: Owner
    wallet: WalletView
    credential: Credential
    agent: Strategist
    recovery: str
    withdrawals: list[bytes] = field(default_factory=list)

    def note_balances(self, moment: str) -> None:
        """Keep a row of the table of balances."""
        wallet = self.market.wealth(self.agent.address) / USDC
        home = self.market.cash(self.recovery) / USDC
        self.report.balances.append((moment, f"{wallet:.2f}", f"{home:.2f}"))

    def set_policy(self, document: dict[str, object]) -> None:
        """Let the owner replace the wallet's policy."""
        version = self.owner.show(self.wallet.wallet).policy_version
        source = parse_policy(canonical(document)).source  # type: ignore[arg-type]
        self.owner.set_policy(self.wallet.wallet, source, version)


def set_stage(report: Report, network: LocalNetwork, market: Market, folder: Path) -> Stage:
    """Make the wallet, its policy and the agent's credential; fund the wallet."""
    owner = Owner(network.network(), new_key())
    owner.network.faucet(owner.address)
    recovery = str(EthAccount.create().address)
    wallet = owner.create("yield", Address.from_hex(recovery), QUOTA)
    report.say(f"owner     {checksummed(owner.address)}  (a key of the user's own)")
    report.say(f"wallet    {written(wallet.account)}  (nobody has its key)")
    report.say(f"recovery  {recovery}  (fixed for ever)")
    until = UnixSeconds(int(time.time()) + CREDENTIAL_SECONDS)
    credential = owner.grant(wallet.wallet, "yield", until)
    path = folder / "yield.cred"
    path.unlink(missing_ok=True)
    credential.save(path)
    agent = Strategist(Account.connect("yield", url=network.url, credential=path), market)
    stage = Stage(report, network, market, folder, owner, wallet, credential, agent, recovery)
    stage.set_policy(vault_policy(market, DAY_LIMIT))
    report.say(f"policy    {DAY_LIMIT // USDC} USDC a day between three vaults, gas capped")
    report.say("agent     a credential that expires in an hour and can only ask")
    market.fund(agent.address, START_USDC, START_WEI)
    report.say(f"funds     {START_USDC // USDC} USDC and 1 ETH")
    stage.note_balances("funded")
    return stage
