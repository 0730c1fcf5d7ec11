"""A log is believed where it leads to the registers that were signed."""

import json
from hashlib import sha384

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.claims import Claims
from keymoot.attest.eventlog import (
    MAX_EVENTS,
    MAX_LOG_BYTES,
    LoggedEvent,
    LogRefused,
    check_log,
    read_dstack,
    read_log,
    replay,
)
from keymoot.attest.evidence import ReportData
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Measurement
from tests.attest.bits import flipped, flips


def four(value: int) -> bytes:
    return value.to_bytes(4, "little")


SPEC = b"Spec ID Event03\0" + bytes(20)
FIRST = four(0) + four(3) + bytes(20) + four(len(SPEC)) + SPEC


def event(index: int, kind: int, data: bytes, digest: bytes | None = None) -> bytes:
    found = sha384(data).digest() if digest is None else digest
    digests = four(2) + b"\x0b\x00" + bytes(32) + b"\x0c\x00" + found
    return four(index) + four(kind) + digests + four(len(data)) + data


LOG = FIRST + event(1, 8, b"firmware") + event(2, 13, b"kernel") + event(2, 13, b"command line")
RTMR0 = sha384(bytes(48) + sha384(b"firmware").digest()).digest()
RTMR1 = sha384(
    sha384(bytes(48) + sha384(b"kernel").digest()).digest() + sha384(b"command line").digest()
).digest()


def claims(**registers: bytes) -> Claims:
    return Claims.verified(
        vendor="tdx",
        measurement=Measurement(bytes(48)),
        report_data=ReportData(bytes(64)),
        valid_until=1,
        registers=registers,
    )


SIGNED = claims(RTMR0=RTMR0, RTMR1=RTMR1, RTMR2=bytes(48))


def test_a_log_leads_to_its_registers() -> None:
    events = read_log(LOG + b"\xff" * 64)
    assert replay(events) == {0: RTMR0, 1: RTMR1}
    assert [(one.register, one.data, one.proven) for one in events] == [
        (0, b"firmware", True),
        (1, b"kernel", True),
        (1, b"command line", True),
    ]
    check_log(SIGNED, events)


@pytest.mark.parametrize(
    "log",
    [
        LOG + event(2, 13, b"one more"),
        FIRST + event(1, 8, b"firmware") + event(2, 13, b"command line") + event(2, 13, b"kernel"),
        FIRST + event(1, 8, b"other firmware"),
        FIRST + event(5, 8, b"in a register that was not signed"),
    ],
)
def test_another_log_is_refused(log: bytes) -> None:
    with pytest.raises(LogRefused, match="send the log of this very start"):
        check_log(SIGNED, read_log(log))


def test_what_extends_nothing_counts_for_nothing() -> None:
    assert read_log(LOG + event(9, 3, b"startup locality")) == read_log(LOG)


def test_words_that_no_digest_vouches_for_are_not_proven() -> None:
    (one,) = read_log(FIRST + event(1, 8, b"a lie", sha384(b"firmware").digest()))
    assert not one.proven


def test_a_flipped_bit_leads_elsewhere_or_proves_less() -> None:
    true = read_log(LOG)
    for bit in flips(LOG, everything=True):
        try:
            events = read_log(flipped(LOG, bit))
        except Malformed:
            continue
        if replay(events) == replay(true):
            proven = {(one.register, one.data) for one in events if one.proven}
            assert proven <= {(one.register, one.data) for one in true}


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (b"", "ends at byte"),
        (bytes(28) + four(0), "begins with its specification"),
        (four(0) + four(3) + bytes(20) + four(4) + b"Spec", "not crypto-agile"),
        (LOG[:-1], "ends at byte"),
        (FIRST + event(0, 8, b""), "1 to 32"),
        (FIRST + event(33, 8, b""), "1 to 32"),
        (FIRST + four(1) + four(8) + four(9), "at most 8 digests"),
        (FIRST + four(1) + four(8) + four(1) + b"\x99\0", "hash 0x99"),
        (FIRST + four(1) + four(8) + four(0) + four(0), "no digest of SHA-384"),
        (FIRST + four(1) + four(8) + four(0) + four(65_537), "at most 65536"),
        (FIRST + event(1, 8, b"") * (MAX_EVENTS + 1), f"at most {MAX_EVENTS}"),
        (bytes(MAX_LOG_BYTES + 1), "at most"),
    ],
)
def test_logs_in_another_form(log: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_log(log)


RUNTIME = 0x08000001


def of_dstack(name: str, payload: bytes, **changes: object) -> dict:
    digest = sha384(four(RUNTIME) + b":" + name.encode() + b":" + payload).hexdigest()
    made = {"imr": 3, "event_type": RUNTIME, "digest": digest, "event": name}
    return made | {"event_payload": payload.hex()} | changes


def written(*events: object) -> bytes:
    return json.dumps(events).encode()


def test_dstacks_own_events_bind_name_and_payload() -> None:
    events = read_dstack(written(of_dstack("compose-hash", b"\x01" * 32), of_dstack("ready", b"")))
    assert [(one.name, one.data, one.proven) for one in events] == [
        ("compose-hash", b"\x01" * 32, True),
        ("ready", b"", True),
    ]
    check_log(claims(RTMR3=replay(events)[3]), events)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"event_payload": "02"}, "not that of event and payload"),
        ({"event": "other"}, "not that of event and payload"),
        ({"imr": 32}, "registers are 0"),
        ({"imr": True}, "a number"),
        ({"event_type": -1}, "four bytes"),
        ({"digest": "00"}, "48 bytes, got 1"),
        ({"digest": "zz"}, "hex"),
        ({"digest": None}, "hex"),
        ({"event": 1}, "a text"),
        ({"event_payload": "00" * 65_537}, "at most 65536"),
    ],
)
def test_dstacks_log_in_another_form(change: dict, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_dstack(written(of_dstack("name", b"\x01") | change))


@given(st.binary(max_size=400))
def test_strangers_bytes_are_no_log(raw: bytes) -> None:
    for read, before in ((read_log, b""), (read_log, FIRST), (read_dstack, b"")):
        try:
            assert all(isinstance(one, LoggedEvent) for one in read(before + raw))
        except Malformed as error:
            assert str(error)
