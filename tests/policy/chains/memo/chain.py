"""Memo, in one object: "pay N to ADDRESS" is its transaction, and Ed25519 its scheme."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from keymoot.base.digits import decimal
from keymoot.base.fixed import Fixed, Hash32
from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.scheme import ED25519
from keymoot.policy.address import AddressForm
from keymoot.policy.chains.chain import Chain, WishKind
from keymoot.policy.condition import RULE, Condition, Sets, made_by
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.match import Match, Step, Trial
from keymoot.policy.refusal import REFUSED, NeverSigned, Refusal, not_a_withdrawal
from keymoot.policy.rule import ALLOW, Rule, parse_action, parse_field, parse_name, parse_spend
from keymoot.policy.shape import known_fields

PAY = "memo_pay"
FEE = 1


class MemoAddress(Fixed):
    """As long as Solana's, but the hash of a key: the length does not tell it."""

    LENGTH = 32
    __slots__ = ()

    @property
    def text(self) -> str:
        return f"m{self.hex()}"


def parse_address(text: object, path: str) -> MemoAddress:
    if not isinstance(text, str) or re.fullmatch("m[0-9a-f]{64}", text) is None:
        raise BadPolicy("an address of Memo is m and 64 hex digits", path)
    return MemoAddress(bytes.fromhex(text[1:]))


def address_of(key: bytes) -> MemoAddress:
    return MemoAddress(keccak256(b"memo" + key))


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that a wallet is asked to sign."""

    method: ClassVar[str] = PAY
    network: ClassVar[str] = "memo"
    slot: ClassVar[None] = None
    max_fee: ClassVar[int] = FEE

    wallet: MemoAddress
    to: MemoAddress
    value: int
    message: bytes

    @property
    def digest(self) -> Hash32:
        return keccak256(self.message)

    def decoded(self) -> dict[str, Json]:
        return {"to": self.to.text, "amount": str(self.value)}


def read_payment(payload: bytes, wallet: MemoAddress) -> Payment:
    found = re.fullmatch(rb"pay ([1-9][0-9]{0,18}) to (m[0-9a-f]{64})", payload)
    if found is None:
        raise NeverSigned("MALFORMED_TRANSACTION", "not: pay N to ADDRESS", "payload")
    to, amount = parse_address(found[2].decode(), "to"), decimal(found[1].decode())
    if amount is None:
        raise NeverSigned("MALFORMED_TRANSACTION", "no number", "payload")
    return Payment(wallet, to, amount, payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRule(Rule):
    """One rule on payments: to whom, and how much."""

    to: Condition
    amount: Condition | None


def parse_rule(json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str) -> Rule:
    known_fields(json, {"id", "action", "method", "to", "amount", "spend"}, path)
    action = parse_action(json, path)
    to = parse_field(json, "to", MEMO_ADDRESSES.kind, sets, path)
    if to is None or (action == ALLOW and not to.positive):
        raise BadPolicy("a rule names its recipients, with eq or in", f"{path}.to")
    return PaymentRule(
        name=parse_name(json, path),
        action=action,
        to=to,
        amount=parse_field(json, "amount", "uint64", sets, path),
        spend=parse_spend(json.get("spend", {}), action, limits, _source, f"{path}.spend"),
    )


def _source(source: str, path: str) -> str:
    if source != "amount":
        raise BadPolicy('a payment spends its "amount"', path)
    return source


class PaymentMatch(Match):
    """One rule's trial on one payment."""

    rule: PaymentRule

    def __init__(self, rule: PaymentRule, payment: Payment, trace: list[Step]) -> None:
        super().__init__(rule, payment.wallet, trace)
        self.payment = payment

    def checks(self) -> tuple[Callable[[], bool], ...]:
        return (self._to, self._amount)

    def _to(self) -> bool:
        return self.compare("to", self.rule.to, self.payment.to, self.payment.to.text)

    def _amount(self) -> bool:
        value = self.payment.value
        if self.rule.amount is None:
            return True
        return self.compare("amount", self.rule.amount, value, str(value))

    @property
    def what(self) -> str:
        return "the payment"

    def amount(self, source: str) -> int:
        return self.payment.value

    def path(self, source: str) -> str:
        return source

    def understood(self, decoded: dict[str, Json]) -> None:
        decoded["rule"] = self.rule.name


def try_rules(
    rules: Sequence[Rule], payment: Payment, now: UnixSeconds, trace: list[Step]
) -> list[Trial]:
    matches = [PaymentMatch(one, payment, trace) for one in rules if isinstance(one, PaymentRule)]
    for match in matches:
        match.run()
    no = Refusal("NO_RULE", f"{REFUSED}no rule allows this payment", path="to")
    return [Trial(matches, lambda: no)]


def comparisons(rules: Sequence[Rule], payment: Payment) -> int:
    ours = [one for one in rules if isinstance(one, PaymentRule)]
    return sum(RULE + made_by(one.to) + made_by(one.amount) for one in ours)


def check_withdrawal(payment: Payment, recovery: MemoAddress, fee: int | None) -> Refusal | None:
    if payment.to == recovery:
        return None
    return not_a_withdrawal("to", f"a withdrawal goes to {recovery.text}")


def write(address: MemoAddress) -> str:
    return address.text


def is_reference(text: str) -> bool:
    return text == "main"


MEMO_ADDRESSES = AddressForm("memoAddress", MemoAddress, parse_address, write)

MEMO = Chain(
    namespace="memo",
    example="memo:main",
    key="an Ed25519 key, of Memo",
    scheme=ED25519,
    addresses=MEMO_ADDRESSES,
    address_of=address_of,
    is_reference=is_reference,
    transactions=WishKind(PAY, read_payment, parse_rule, try_rules, comparisons, check_withdrawal),
)
