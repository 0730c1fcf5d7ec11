"""What the agent wishes and must not get; and what the owner always gets."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eth_account import Account as EthAccount

from keymoot.agent.errors import NetworkRefused
from keymoot.agent.submission import TransactionFailed
from keymoot.base.fixed import Address
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, Wei
from keymoot.cli.demo.market import USDC
from keymoot.cli.demo.outside import CHAIN_ID, calldata
from keymoot.cli.demo.rules import DAY_LIMIT, RACE_LIMIT, vault_policy
from keymoot.cli.demo.stage import Stage
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from keymoot.policy.errors import PolicyRefused

RACERS = 50
RACE_AMOUNT = 100 * USDC


def try_all(stage: Stage) -> None:
    """Try every wish, with the raw answer shown each time."""
    _steal(stage)
    _over_limit(stage)
    _race(stage)
    _change_policy(stage)
    _revoked(stage)
    _withdraw(stage)


def _wish(stage: Stage, fields: dict[str, Any]) -> PolicyRefused | bytes:
    try:
        return bytes(stage.agent.account.sign_transaction(fields).raw_transaction)
    except PolicyRefused as error:
        return error


def _refused(stage: Stage, wish: str, answer: PolicyRefused | bytes, reason: str) -> None:
    got = answer.reason if isinstance(answer, PolicyRefused) else "signed"
    if isinstance(answer, PolicyRefused):
        stage.report.raw(wish, answer.to_json())
    stage.report.refusal(wish, f"refused: {reason}", got)
    stage.report.hold(f"{wish}: refused ({reason})", true=got == reason)


def _steal(stage: Stage) -> None:
    stranger = str(EthAccount.create().address)
    data = calldata("transfer(address,uint256)", stranger, 100 * USDC)
    answer = _wish(stage, stage.agent.fields("transfer", stage.market.usdc, data))
    _refused(stage, "send the USDC to a stranger", answer, "NO_RULE")


def _over_limit(stage: Stage) -> None:
    vault = stage.market.vaults[0].address
    data = calldata("deposit(uint256,address)", DAY_LIMIT, stage.agent.address)
    fields = stage.agent.fields("deposit", vault, data)
    _refused(stage, "exceed the daily limit", _wish(stage, fields), "LIMIT_EXCEEDED")
    stage.set_policy(vault_policy(stage.market, 10 * DAY_LIMIT))
    answer = _wish(stage, fields)
    signed = isinstance(answer, bytes)
    stage.report.refusal("the same transaction, looser policy", "signed", _word(answer))
    if isinstance(answer, bytes):
        stage.report.say(f"the same transaction under a looser policy: 0x{answer.hex()[:64]}…")
    stage.report.hold("the same transaction under a looser policy: signed", true=signed)


def _race(stage: Stage) -> None:
    stage.set_policy(vault_policy(stage.market, RACE_LIMIT, limit="race-day"))
    vault = stage.market.vaults[0].address
    data = calldata("deposit(uint256,address)", RACE_AMOUNT, stage.agent.address)
    start = stage.market.chain.nonce(stage.agent.address) + 1_000
    wishes = [stage.agent.fields("deposit", vault, data, nonce=start + at) for at in range(RACERS)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda fields: _wish(stage, fields), wishes))
    signed = [answer for answer in answers if isinstance(answer, bytes)]
    reasons = {answer.reason for answer in answers if isinstance(answer, PolicyRefused)}
    spent = len(signed) * RACE_AMOUNT
    stage.report.say(
        f"{RACERS} racing requests of {RACE_AMOUNT // USDC} USDC under a limit of "
        f"{RACE_LIMIT // USDC}: {len(signed)} signed, {RACERS - len(signed)} refused"
    )
    stage.report.refusal(
        f"{RACERS} requests race", "exactly the limit", f"{spent // USDC} of {RACE_LIMIT // USDC}"
    )
    stage.report.hold(
        "fifty racing requests: exactly the limit is spent",
        true=spent == RACE_LIMIT and reasons == {"LIMIT_EXCEEDED"},
    )


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
    stage.report.raw("the agent tries to change its own policy", outcome)
    stage.report.refusal("change its own policy", "refused: NOT_OWNER", outcome["errorCode"])
    after = stage.owner.show(stage.wallet.wallet).policy_version
    stage.report.hold(
        "the agent cannot change its policy",
        true=outcome["errorCode"] == "NOT_OWNER" and after == version,
    )


def _revoked(stage: Stage) -> None:
    stage.set_policy(vault_policy(stage.market, 10 * DAY_LIMIT))
    stage.owner.revoke(stage.wallet.wallet, stage.credential.requester)
    vault = stage.market.vaults[0].address
    data = calldata("deposit(uint256,address)", USDC, stage.agent.address)
    answer: PolicyRefused | bytes | NetworkRefused
    try:
        answer = _wish(stage, stage.agent.fields("deposit", vault, data))
    except NetworkRefused as error:
        answer = PolicyRefused(str(error), {"reason": str(error.data)})
    _refused(stage, "ask with a revoked credential", answer, "CREDENTIAL_REVOKED")


def _withdraw(stage: Stage) -> None:
    """Let the owner take everything, to the recovery address and nowhere else."""
    market, wallet, recovery = stage.market, stage.agent.address, stage.recovery
    stranger = str(EthAccount.create().address)
    theft = calldata("transfer(address,uint256)", stranger, USDC)
    try:
        _bind(stage, market.usdc, theft)
        word = "signed"
    except (TransactionFailed, NetworkRefused) as error:
        word = "refused"
        stage.report.say(f"the owner's key, used to pay a stranger: {error}")
    stage.report.hold("even the owner withdraws only to recovery", true=word == "refused")
    stage.report.refusal("owner pays a stranger", "refused", word)
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
        f"the owner withdrew {got / USDC:.2f} USDC and {rest / 10**18:.4f} ETH to {recovery}"
    )
    stage.report.refusal("owner withdraws everything", "paid", f"{got / USDC:.2f} USDC")
    stage.report.hold(
        "the owner withdraws to the recovery address: paid",
        true=got == expected and market.wealth(wallet) == 0 and rest > 0,
    )


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
    raw = _bind(stage, to, data, value, gas)
    receipt = stage.market.chain.send_raw(raw)
    stage.withdrawals.append(raw)
    kind = "withdrawal of ETH" if not data else "withdrawal of USDC"
    nonce = str(stage.market.chain.nonce(stage.agent.address) - 1)
    row = (kind, "to recovery", nonce, f"{receipt['transactionHash'][:14]}…", "")
    stage.report.signatures.append(row)


def _word(answer: PolicyRefused | bytes) -> str:
    return "signed" if isinstance(answer, bytes) else answer.reason
