"""Files that lie on disks, and that somebody else may have written: whole, or a field of them."""

import json
import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from eth_keyfile.keyfile import create_keyfile_json

from keymoot.agent.app_secrets import SecretEnvelope
from keymoot.agent.credential import Credential
from keymoot.agent.keystore import Keystore
from keymoot.agent.seen import Remembered
from keymoot.base import rlp
from keymoot.base.fixed import Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.crypto import hpke
from keymoot.crypto.sealing import Sealer
from keymoot.enclave.sealed_file import _TAG, read_sealed
from keymoot.enclave.sealed_state import open_sealed_state
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.image.bundle import Bundle, File
from keymoot.image.manifest import Described, parse_manifest, read_described
from keymoot.image.requirements import check_pinned
from tests.fuzz.proofs import DOSSIER, WALLET, WORLD
from tests.fuzz.target import Target
from tests.image.folders import MANIFEST, PINNED
from tests.policy import documents

FOLDER = Path(
    mkdtemp(prefix="keymoot-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
)
KEY = Secret(b"\7" * 32)

QUICK_ROUNDS, QUICK_BYTES = 4_096, 1 << 20
"""Work that a keystore may ask for and still be opened here: what costs more is refused elsewhere,
or is meant to cost."""


def _file(name: str, raw: bytes) -> Path:
    path = FOLDER / f"{name}-{os.getpid()}"
    path.write_bytes(raw)
    return path


def check_credential(raw: bytes) -> None:
    """A credential that is read is written to the same fields."""
    found = Credential.decode(raw)
    again = Credential.decode(found.encode())
    assert again.encode() == found.encode()


def credential_seeds() -> list[bytes]:
    urls = ("http://127.0.0.1:8645", "https://node.example")
    return [
        Credential(
            "yield",
            NetworkId(WORLD.network),
            urls[:count],
            WALLET,
            documents.WALLET,
            WORLD.verifying_key,
            UnixSeconds(1_798_000_000),
            KEY,
        ).encode()
        for count in (1, 2)
    ]


def check_keystore(raw: bytes) -> None:
    """A keystore opens, or tells why not; it never asks for more work than it may."""
    keystore = Keystore(_file("keystore", raw))
    crypto: Any = keystore._document.get("crypto", keystore._document.get("Crypto"))
    told = crypto["kdfparams"]
    if crypto["kdf"] == "scrypt":
        quick = 128 * told["n"] * told["r"] * told["p"] <= QUICK_BYTES
    else:
        quick = told["c"] <= QUICK_ROUNDS
    if quick:
        keystore.open("password")


def keystore_seeds() -> list[bytes]:
    made = [
        create_keyfile_json(KEY.expose(), b"password", kdf=kdf, iterations=rounds)
        for kdf, rounds in (("pbkdf2", 2), ("scrypt", 2))
    ]
    return [json.dumps(one).encode() for one in made]


def check_seen(raw: bytes) -> None:
    """What was remembered is read, or the file is told to be damaged."""
    found = Remembered.read(_file("seen", raw))
    assert found is not None
    assert Remembered.read(_file("seen", found.encode())) == found


def seen_seeds() -> list[bytes]:
    return [Remembered(NetworkId(WORLD.network), DOSSIER.shown.header).encode()]


PLATFORM = SimulatedPlatform(Secret(b"f" * 32), Measurement(b"m" * Measurement.LENGTH))
PURPOSE = "keep"


def check_sealed_file(raw: bytes) -> None:
    """A host's file does not open; what this code has sealed is read or refused."""
    folder = FOLDER / f"sealed-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    path = folder / "keep.sealed"
    if raw[:1] == b"h":
        path.write_bytes(raw[1:])
        opened = read_sealed(path, PLATFORM, PURPOSE)
        assert opened == b"content"
        return
    nonce = bytes(12)
    sealer = Sealer(PLATFORM.sealing_key(PURPOSE))
    sealed = sealer.seal(nonce, raw[1:], _TAG + PURPOSE.encode())
    path.write_bytes(rlp.encode([_TAG, nonce, sealed]))
    open_sealed_state(folder, PLATFORM)


def sealed_seeds() -> list[bytes]:
    key = b"\7" * 32
    keep = rlp.encode([key, [[key, key]], key, key, key, key, b"\1", b"\2"])
    sealed = Sealer(PLATFORM.sealing_key(PURPOSE)).seal(
        bytes(12), b"content", _TAG + PURPOSE.encode()
    )
    return [b"p" + keep, b"h" + rlp.encode([_TAG, bytes(12), sealed])]


def check_bundle(raw: bytes) -> None:
    """A bundle that is read is written to the same bytes."""
    assert Bundle.read(raw).to_bytes() == raw


def bundle_seeds() -> list[bytes]:
    described = Described("yield", "1.2.3", ("python3", "agent.py"), None, ("KEY",))
    files = {"agent.py": File(b"print(1)\n"), "bin/run": File(b"#!/bin/sh\n", executable=True)}
    return [
        Bundle.make(described, files).to_bytes(),
        Bundle.make(Described("a", "1", ("x",)), {"x": File(b"")}).to_bytes(),
    ]


def check_manifest(raw: bytes) -> None:
    """What a manifest says is said again by the bundle that is made of it."""
    described = parse_manifest(raw).described
    assert read_described(described.to_json()) == described


def check_requirements(raw: bytes) -> None:
    """What is pinned stays so with a comment behind it."""
    check_pinned(raw, "requirements.txt")
    check_pinned(raw + b"\n# more\n", "requirements.txt")


def check_envelope(raw: bytes) -> None:
    """An envelope of a secret that is read is written to the same bytes."""
    assert SecretEnvelope.decode(raw).encode() == raw


def envelope_seeds() -> list[bytes]:
    to = hpke.public_key(KEY)
    return [
        SecretEnvelope.seal(to, "NAME", Secret(bytes(size)), KEY, bytes(15)).encode()
        for size in (0, 10, 300)
    ]


TARGETS = [
    Target("credentials", "its own encoder", check_credential, credential_seeds, 20, 2_048),
    Target("keystores", "no other errors", check_keystore, keystore_seeds, 5, 2_048),
    Target("seen files", "its own encoder", check_seen, seen_seeds, 5, 2_048),
    Target("sealed files", "no other errors", check_sealed_file, sealed_seeds, 3),
    Target("bundles", "its own encoder", check_bundle, bundle_seeds, 5, 4_096),
    Target("manifests", "its own encoder", check_manifest, lambda: [MANIFEST.encode()], 5, 2_048),
    Target("requirements", "itself", check_requirements, lambda: [PINNED.encode()], 5, 1_024),
    Target("secret envelopes", "its own encoder", check_envelope, envelope_seeds, 5, 1_024),
]
