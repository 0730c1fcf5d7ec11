"""Whose rate a call counts against."""

import json
from collections.abc import Iterator

import pytest

from keymoot.gateway import jsonrpc
from keymoot.gateway.limits import BURST, Payer, Rate, customer_of


@pytest.mark.parametrize(
    ("host", "customer"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_all_addresses_of_a_customer_are_one(host: str, customer: str) -> None:
    assert customer_of(host) == customer


def test_a_debt_is_not_left_behind_by_moving_to_the_next_address() -> None:
    rate = Rate(lambda: 0.0, per_second=10, burst=20)
    rate.owe(customer_of("2001:db8::1"), 5)
    assert not rate.take(customer_of("2001:db8::2"), 0)
    assert rate.take(customer_of("2001:db8:0:1::2"))


@pytest.mark.parametrize("body", [b"[" + b"[]," * 1_000 + b"[]]", b"[" + b"[]," * 1_000])
async def test_a_body_that_takes_long_to_read_is_owed_for(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: Iterator[float] = iter((0.0, 0.6))
    monkeypatch.setattr(jsonrpc.time, "thread_time", lambda: next(clock))
    rate = Rate(lambda: 0.0)
    payer = Payer(rate, "a")
    answered = json.loads(await jsonrpc.answer({}, body, lambda *_: None, payer))
    assert "error" in (answered[0] if isinstance(answered, list) else answered)
    assert not rate.take("a", 0), f"0.6 seconds count as more than {BURST} calls"
