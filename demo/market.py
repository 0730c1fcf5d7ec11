"""The market on the outside chain: USDC and three vaults whose yields a script moves."""

from dataclasses import dataclass

from demo.outside import Chain, Deployer, calldata, read

USDC = 10**6
"""Base units of one USDC."""

NAMES = ("Aurora", "Borealis", "Cascade")

OTHERS_DEPOSIT = 1_000_000 * USDC
"""What other depositors have in each vault."""

ETH_IN_USDC = 4_000
"""Scripted price of one ETH, to weigh gas against yield."""

RATES: tuple[tuple[int, int, int], ...] = (
    (30, 10, 5),
    (30, 32, 5),
    (10, 45, 20),
    (5, 45, 46),
    (5, 20, 60),
    (40, 20, 60),
    (80, 20, 15),
    (80, 81, 15),
    (10, 79, 15),
    (10, 12, 55),
    (10, 12, 55),
    (70, 12, 20),
)
"""Basis points that each vault pays in each round; small differences are not worth the gas."""


@dataclass(frozen=True, slots=True)
class Vault:
    """One ERC-4626 vault."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Market:
    """Token and vaults, and the script that moves them."""

    chain: Chain
    deployer: Deployer
    usdc: str
    vaults: tuple[Vault, ...]

    def set_rates(self, rates: tuple[int, int, int]) -> None:
        """Set what each vault pays in the coming round, in basis points."""
        for vault, rate in zip(self.vaults, rates, strict=True):
            self.deployer.send(vault.address, calldata("setRate(uint256)", rate))

    def pass_round(self) -> None:
        """Let one round pass: every vault pays."""
        for vault in self.vaults:
            self.deployer.send(vault.address, calldata("accrue()"))

    def rate(self, vault: Vault) -> int:
        """Give a vault's rate in basis points a round."""
        return read(self.chain, vault.address, "rate()")

    def shares(self, vault: Vault, who: str) -> int:
        """Give somebody's shares."""
        return read(self.chain, vault.address, "balanceOf(address)", who)

    def worth(self, vault: Vault, who: str) -> int:
        """Give what somebody's shares would pay out now, in base units."""
        shares = self.shares(vault, who)
        if not shares:
            return 0
        return read(self.chain, vault.address, "previewRedeem(uint256)", shares)

    def cash(self, who: str) -> int:
        """Give somebody's USDC outside the vaults, in base units."""
        return read(self.chain, self.usdc, "balanceOf(address)", who)

    def wealth(self, who: str) -> int:
        """Give all that somebody has, in base units."""
        return self.cash(who) + sum(self.worth(vault, who) for vault in self.vaults)

    def fund(self, who: str, usdc: int, wei: int) -> None:
        """Give somebody USDC (base units) and ETH (wei)."""
        self.deployer.send(self.usdc, calldata("mint(address,uint256)", who, usdc))
        self.deployer.send(who, value=wei)


def open_market(chain: Chain) -> Market:
    """Deploy token and vaults; other depositors are in already."""
    deployer = Deployer(chain)
    usdc = deployer.deploy("Usdc", [], [])
    pocket = 10 * OTHERS_DEPOSIT * len(NAMES)
    deployer.send(usdc, calldata("mint(address,uint256)", deployer.address, pocket))
    vaults = []
    for name in NAMES:
        kinds, values = ["address", "string", "string"], [usdc, f"{name} USDC", f"v{name[0]}"]
        vault = Vault(name, deployer.deploy("YieldVault", kinds, values))
        approve = calldata("approve(address,uint256)", vault.address, pocket)
        deployer.send(usdc, approve)
        deposit = calldata("deposit(uint256,address)", OTHERS_DEPOSIT, deployer.address)
        deployer.send(vault.address, deposit)
        vaults.append(vault)
    return Market(chain, deployer, usdc, tuple(vaults))
