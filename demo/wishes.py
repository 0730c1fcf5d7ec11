"""What the agent wishes and must not get; and what the owner always gets."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eth_account import Account as EthAccount

from demo.market import USDC
from demo.outside import CHAIN_ID, calldata
from demo.report import Signed
from demo.rules import DAY_LIMIT, RACE_LIMIT, loose_policy, vault_policy
from demo.stage import Stage
from keymoot.agent.errors import NetworkRefused
from keymoot.agent.submission import TransactionFailed
from keymoot.base.fixed import Address
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from keymoot.policy.errors import PolicyRefused

SIGNED = "signed"
RACERS = 50
RACE_AMOUNT = 100 * USDC


def try_all(stage: Stage) -> None:
    """Try every wish, and the same wish where nothing forbids it."""
    _theft_and_excess(stage)
    _race(stage)
    _change_policy(stage)
    _revoked(stage)
    _withdraw(stage)


def _ask(stage: Stage, fields: dict[str, Any]) -> PolicyRefused | bytes:
    try:
        return bytes(stage.agent.account.sign_transaction(fields).raw_transaction)
    except PolicyRefused as error:
        return error


def _refused(stage: Stage, wish: str, answer: PolicyRefused | bytes, reason: str) -> str:
    if isinstance(answer, PolicyRefused):
        stage.report.answer(wish, answer.to_json())
    got = _word(answer)
    stage.report.hold(f"{wish}: refused ({reason})", true=got == reason)
    return got


def _theft_and_excess(stage: Stage) -> None:
    """Ask for what the policy refuses, then for the very same under a looser one."""
    report, agent = stage.report, stage.agent
    stranger = str(EthAccount.create().address)
    theft = agent.fields(
        "transfer",
        stage.market.usdc,
        calldata("transfer(address,uint256)", stranger, 100 * USDC),
    )
    excess = agent.fields(
        "deposit",
        stage.market.vaults[0].address,
        calldata("deposit(uint256,address)", DAY_LIMIT, agent.address),
    )
    asked = (
        ("send the USDC to a stranger", theft, "NO_RULE"),
        ("exceed the daily limit", excess, "LIMIT_EXCEEDED"),
    )
    got = [_refused(stage, wish, _ask(stage, fields), reason) for wish, fields, reason in asked]
    stage.set_policy(loose_policy(stage.market))
    controls = [_word(_ask(stage, fields)) for _, fields, _ in asked]
    for (wish, _, _), answer, control in zip(asked, got, controls, strict=True):
        report.wish(wish, answer, control)
    report.hold(
        "the same two transactions under a looser policy: signed", true=controls == [SIGNED] * 2
    )


def _race(stage: Stage) -> None:
    report = stage.report
    stage.set_policy(vault_policy(stage.market, RACE_LIMIT, limit="race-day"))
    vault = stage.market.vaults[0].address
    data = calldata("deposit(uint256,address)", RACE_AMOUNT, stage.agent.address)
    start = stage.market.chain.nonce(stage.agent.address) + 1_000
    wishes = [stage.agent.fields("deposit", vault, data, nonce=start + at) for at in range(RACERS)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda fields: _word(_ask(stage, fields)), wishes))
    signed = answers.count(SIGNED)
    spent = signed * RACE_AMOUNT
    report.say(
        f"{RACERS} racing requests of {RACE_AMOUNT // USDC} USDC under a limit of "
        f"{RACE_LIMIT // USDC}: {signed} signed, {RACERS - signed} refused"
    )
    report.hold(
        "fifty racing requests: exactly the limit is spent",
        true=spent == RACE_LIMIT and set(answers) == {SIGNED, "LIMIT_EXCEEDED"},
    )
    stage.set_policy(vault_policy(stage.market, 2 * RACE_LIMIT, limit="race-day"))
    control = _word(_ask(stage, wishes[answers.index("LIMIT_EXCEEDED")]))
    report.wish(f"{RACERS} requests race", f"{spent // USDC} of {RACE_LIMIT // USDC}", control)
    report.hold("one of the refused, under twice the limit: signed", true=control == SIGNED)


def _change_policy(stage: Stage) -> None:
    """Let the agent sign an owner's transaction with its credential, gas paid and all."""
    network = stage.owner.network
    key = stage.credential.key
    network.faucet(stage.credential.requester)
    version = stage.owner.show(stage.wallet.wallet).policy_version
    loose = canonical(vault_policy(stage.market, 10**15))
    method = Wallets.method("setPolicy")
    arguments = [stage.wallet.wallet, loose, version]
    data = method.encode(arguments)
    transaction = EvmTransaction(
        kind=DYNAMIC_FEE,
        chain_id=network.identity().chain_id,
        nonce=Nonce(0),
        max_priority_fee=Wei(0),
        max_fee=Wei(10**9),
        gas=Gas(1_000_000),
        to=Wallets.ADDRESS,
        value=Wei(0),
        data=data,
    )
    raw = transaction.signed_bytes(sign(key, signing_hash(transaction)))
    network.call("eth_sendRawTransactionSync", "0x" + raw.hex())
    outcome = network.call("keymoot_getOutcome", keccak256(raw).hex0x)
    stage.report.answer("change its own policy", outcome)
    after = stage.owner.show(stage.wallet.wallet).policy_version
    stage.report.hold(
        "the agent cannot change its policy",
        true=outcome["errorCode"] == "NOT_OWNER" and after == version,
    )
    stage.owner.set_policy(stage.wallet.wallet, loose, version)
    done = stage.owner.show(stage.wallet.wallet).policy_version == version + 1
    stage.report.wish("change its own policy", outcome["errorCode"], "done" if done else "NOT DONE")
    stage.report.hold("the same call by the owner: done", true=done)


def _revoked(stage: Stage) -> None:
    stage.set_policy(vault_policy(stage.market, 10 * DAY_LIMIT))
    vault = stage.market.vaults[0].address
    data = calldata("deposit(uint256,address)", USDC, stage.agent.address)
    fields = stage.agent.fields("deposit", vault, data)
    control = _word(_ask(stage, fields))
    stage.owner.revoke(stage.wallet.wallet, stage.credential.requester)
    answer: PolicyRefused | bytes
    try:
        answer = _ask(stage, fields)
    except NetworkRefused as error:
        answer = PolicyRefused(str(error), {"reason": str(error.data)})
    got = _refused(stage, "ask with a revoked credential", answer, "CREDENTIAL_REVOKED")
    stage.report.wish("ask with a revoked credential", got, control)
    stage.report.hold("the same request before it was revoked: signed", true=control == SIGNED)


def _withdraw(stage: Stage) -> None:
    """Let the owner take everything, to the recovery address and nowhere else."""
    market, wallet, recovery = stage.market, stage.agent.address, stage.recovery
    stranger = str(EthAccount.create().address)
    theft = calldata("transfer(address,uint256)", stranger, USDC)
    try:
        _bind(stage, market.usdc, theft)
        word = SIGNED
    except (TransactionFailed, NetworkRefused) as error:
        word = "refused"
        stage.report.say(f"the owner's key, used to pay a stranger: {error}")
    stage.report.hold("even the owner withdraws only to recovery", true=word == "refused")
    expected = market.wealth(wallet)
    for vault in market.vaults:
        shares = market.shares(vault, wallet)
        if shares:
            leave = calldata("redeem(uint256,address,address)", shares, recovery, wallet)
            _pay(stage, vault.address, leave)
    cash = market.cash(wallet)
    if cash:
        _pay(stage, market.usdc, calldata("transfer(address,uint256)", recovery, cash))
    highest, _ = market.chain.fees()
    rest = market.chain.balance(wallet) - 21_000 * highest
    _pay(stage, recovery, b"", value=rest, gas=21_000)
    got = market.cash(recovery)
    stage.report.say(
        f"the owner withdrew {got / USDC:.2f} USDC and {rest / 10**18:.4f} ETH to recovery"
    )
    paid = got == expected and market.wealth(wallet) == 0 and rest > 0
    stage.report.wish("the owner pays a stranger", word, "paid" if paid else "NOT PAID")
    stage.report.hold("the owner withdraws to the recovery address: paid", true=paid)


def _bind(stage: Stage, to: str, data: bytes, value: int = 0, gas: int = 200_000) -> bytes:
    chain = stage.market.chain
    highest, tip = chain.fees()
    transaction = EvmTransaction(
        kind=DYNAMIC_FEE,
        chain_id=ChainId(CHAIN_ID),
        nonce=Nonce(chain.nonce(stage.agent.address)),
        max_priority_fee=Wei(min(tip, highest)),
        max_fee=Wei(highest),
        gas=Gas(gas),
        to=Address.from_hex(to),
        value=Wei(value),
        data=data,
    )
    return stage.owner.withdraw(stage.wallet.wallet, transaction)


def _pay(stage: Stage, to: str, data: bytes, value: int = 0, gas: int = 200_000) -> None:
    start = time.perf_counter()
    raw = _bind(stage, to, data, value, gas)
    milliseconds = (time.perf_counter() - start) * 1e3
    stage.market.chain.send_raw(raw)
    stage.withdrawals.append(raw)
    stage.report.signed.append(Signed("withdrawal", "to recovery", milliseconds))


def _word(answer: PolicyRefused | bytes) -> str:
    return SIGNED if isinstance(answer, bytes) else answer.reason
