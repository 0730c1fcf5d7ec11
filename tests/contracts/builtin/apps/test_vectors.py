"""Bytes that others have to make as we do, with how they are made."""

import json
from pathlib import Path
from typing import Any

import pytest

from keymoot.base.fixed import Address, AppId, Bytes32, Hash32, Measurement, NetworkId
from keymoot.base.units import Seconds
from keymoot.committee.outcome import app_key_input
from keymoot.contracts.builtin.apps.evidence import (
    endorsement_message,
    instance_report,
    registration_digest,
)
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import Entries
from keymoot.contracts.builtin.keys import AppKeyKind, app_question_of

PATH = Path(__file__).with_name("vectors.json")
NETWORK, APP = NetworkId(b"n" * 32), AppId(b"\0" + b"a" * 20)
KEY, ENCRYPTION, BLOCK = Address(b"k" * 20), Bytes32(b"e" * 32), Hash32(b"b" * 32)
FIRST = b"f" * 48


def cases() -> list[dict[str, Any]]:
    report = instance_report(NETWORK, APP, KEY, ENCRYPTION, BLOCK)
    metadata = Entries({"net.oasis.app.name": b"trader"}).encode()
    policy = AppPolicy(
        measurements=(Measurement(b"m" * 48),), vendors=("simulated", "tdx"), raw_keys=False
    )
    given = {"network": NETWORK, "app": APP, "key": KEY, "encryption": ENCRYPTION, "block": BLOCK}
    made: list[tuple[str, dict[str, Any], bytes]] = [
        (
            (
                "report data: 48 bytes of the SHA-512 of the RLP of [keymoot/report-data/v1, "
                "[keymoot/app-instance/v1, app, key, encryption], network, hash of the block], and "
                "keymoot/instance"
            ),
            given,
            report,
        ),
        (
            (
                "what the key signs: Keccak-256 of keymoot/v1/apps/register, report data, lifetime "
                "(8 bytes) and metadata, each behind its length in 4 bytes"
            ),
            {"report": report, "lifetime": 3_600, "metadata": metadata},
            registration_digest(report, Seconds(3_600), metadata),
        ),
        (
            (
                "what a node signs: keymoot/v1/apps/endorse and report data, each behind its length "
                "in 4 bytes"
            ),
            {"report": report},
            endorsement_message(report),
        ),
        (
            "metadata: the RLP of a list of one list, of pairs of name and value that rise by name",
            {"net.oasis.app.name": b"trader"},
            metadata,
        ),
        (
            (
                "a policy: the RLP of measurements, vendors, lifetime, raw keys, TCB statuses, "
                "advisories, TCB parts, chips, endorsers, most of a maker"
            ),
            {"measurements": b"m" * 48, "vendors": "simulated, tdx", "rawKeys": False},
            policy.encode(),
        ),
        (
            (
                "what a key of an app is derived from: 'app instance', app, kind (1 byte) and key id, "
                "each behind its length in 4 bytes"
            ),
            {"app": APP, "kind": 4, "keyId": b"login"},
            app_key_input(APP, AppKeyKind.SECP256K1, b"login"),
        ),
        (
            (
                "a question's name: Keccak-256 of keymoot/v1/keys/app-question, asker, app, kind "
                "(1 byte), key id and the one-time key in G1, each behind its length in 4 bytes"
            ),
            {"asker": KEY, "app": APP, "kind": 4, "keyId": b"login", "first": FIRST},
            app_question_of(KEY, APP, AppKeyKind.SECP256K1, b"login", FIRST),
        ),
    ]
    return [
        {
            "description": description,
            "input": {
                name: "0x" + value.hex() if isinstance(value, bytes) else value
                for name, value in inputs.items()
            },
            "bytes": "0x" + output.hex(),
        }
        for description, inputs, output in made
    ]


@pytest.mark.parametrize("at", range(len(cases())))
def test_the_bytes_are_what_they_were(at: int) -> None:
    assert cases()[at] == json.loads(PATH.read_text())[at]


def test_a_stranger_who_follows_the_words_makes_the_same() -> None:
    """Not with our code: RLP and framing are written here once more."""
    from hashlib import sha512

    import rlp as pyrlp
    from eth_utils.crypto import keccak

    def framed(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    found = [bytes.fromhex(case["bytes"][2:]) for case in json.loads(PATH.read_text())]
    bound = [b"keymoot/app-instance/v1", APP, KEY, ENCRYPTION]
    listed = [b"keymoot/report-data/v1", bound, NETWORK, BLOCK]
    report = sha512(pyrlp.encode(listed)).digest()[:48] + b"keymoot/instance"
    metadata = pyrlp.encode([[[b"net.oasis.app.name", b"trader"]]])
    lifetime = (3_600).to_bytes(8, "big")
    asked = [[b"m" * 48], [b"simulated", b"tdx"], b"\x1c\x20", b"", [b"UpToDate"]]
    inputs = framed(b"app instance", APP, b"\x04", b"login")
    assert found == [
        report,
        keccak(framed(b"keymoot/v1/apps/register", report, lifetime, metadata)),
        framed(b"keymoot/v1/apps/endorse", report),
        metadata,
        pyrlp.encode([*asked, [], [], [], [], b""]),
        inputs,
        keccak(framed(b"keymoot/v1/keys/app-question", KEY, APP, b"\x04", b"login", FIRST)),
    ]


if __name__ == "__main__":
    PATH.write_text(json.dumps(cases(), indent=1) + "\n")
