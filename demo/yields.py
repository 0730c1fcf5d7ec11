"""The agent at work: round after round, to the best vault net of gas."""

from demo.market import NAMES, RATES, USDC
from demo.stage import START_USDC, Stage


def earn(stage: Stage, rounds: int) -> None:
    """Play the rounds; compare with money that was put into the first vault and left there."""
    report, market, agent = stage.report, stage.market, stage.agent
    still = float(START_USDC)
    first: int | None = None
    for number in range(rounds):
        rates = RATES[number % len(RATES)]
        market.set_rates(rates)
        target, why = agent.choose()
        agent.move(target)
        if first is None:
            first = NAMES.index(target.name)
        market.pass_round()
        still += still * rates[first] / 10_000
        worth = market.wealth(agent.address)
        report.say(f"round {number + 1:>2}  {target.name:<9} {why:<40} {worth / USDC:>10.2f} USDC")
    report.signed += agent.signed
    signed = len(agent.sent)
    worth = market.wealth(agent.address)
    report.say(f"{signed} transactions decoded, held against the policy, signed, and mined")
    report.say(f"left in the first vault it would be {still / USDC:.2f} USDC")
    report.hold("the agent earned (scripted yields)", true=worth > START_USDC)
    report.hold(
        "it earned at least what standing still would have", true=worth >= int(still) - USDC
    )
