"""Reads the vectors that CometBFT computed, and makes small chains for the tests."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from keymoot.attest.commit import ABSENT, Commit, CommitSig, Flag, SignedHeader
from keymoot.attest.header import BlockId, Header
from keymoot.attest.validators import Ed25519Key, Validator, ValidatorSet
from keymoot.base.secret import Secret
from keymoot.base.units import NANOS_PER_SECOND, Height, UnixNanos
from keymoot.crypto import ed25519

Case = dict[str, Any]

VECTORS = Path(__file__).parent / "vectors"
CHAIN = "keymoot-test"
NOW = UnixNanos(1_795_000_000 * NANOS_PER_SECOND)


@cache
def cases(name: str) -> list[Case]:
    """Give the cases of one vector file."""
    found: list[Case] = json.loads((VECTORS / f"{name}.json").read_text())["cases"]
    return found


def says(case: Case) -> str:
    """Name a case in pytest's list."""
    text: str = case["description"]
    return text


def time_of(case: Case) -> UnixNanos:
    """Read a vector's time."""
    return UnixNanos(case["seconds"] * NANOS_PER_SECOND + case["nanos"])


def id_of(case: Case) -> BlockId:
    """Read a vector's block id."""
    return BlockId(
        bytes.fromhex(case["hash"]), case["parts_total"], bytes.fromhex(case["parts_hash"])
    )


def header_of(case: Case) -> Header:
    """Read a vector's header."""
    hashes = {
        name: bytes.fromhex(value)
        for name, value in case.items()
        if name.endswith("_hash") or name == "proposer_address"
    }
    return Header(
        version_block=case["version_block"],
        version_app=case["version_app"],
        chain_id=case["chain_id"],
        height=Height(case["height"]),
        time=time_of(case["time"]),
        last_block_id=id_of(case["last_block_id"]),
        **hashes,
    )


def set_of(given: list[Case]) -> ValidatorSet:
    """Read a vector's validators."""
    return ValidatorSet.of(
        Validator(Ed25519Key(bytes.fromhex(each["public_key"])), each["power"]) for each in given
    )


def seed_of(name: str) -> Secret:
    """Give the Ed25519 seed of a validator in tests."""
    return Secret(sha256(name.encode()).digest())


def small_set(*powers: int) -> tuple[ValidatorSet, dict[bytes, Secret]]:
    """Make validators with these powers; their seeds by address."""
    seeds = [seed_of(f"validator {at}") for at in range(len(powers))]
    validators = [
        Validator(Ed25519Key(ed25519.public_key(seed)), power)
        for seed, power in zip(seeds, powers, strict=True)
    ]
    keys = {each.address: seed for each, seed in zip(validators, seeds, strict=True)}
    return ValidatorSet.of(validators), keys


def small_header(validators: ValidatorSet, height: int = 5, chain_id: str = CHAIN) -> Header:
    """Make a header that these validators may sign."""
    filler = sha256(b"filler").digest()
    return Header(
        version_app=1,
        chain_id=chain_id,
        height=Height(height),
        time=NOW,
        last_block_id=BlockId(filler, 1, filler),
        last_commit_hash=filler,
        data_hash=filler,
        validators_hash=validators.hash(),
        next_validators_hash=validators.hash(),
        consensus_hash=filler,
        app_hash=filler,
        last_results_hash=filler,
        evidence_hash=filler,
        proposer_address=validators.validators[0].address,
    )


def sign_header(
    header: Header, validators: ValidatorSet, keys: dict[bytes, Secret], how: str
) -> SignedHeader:
    """Sign as the letters of `how` say, one a validator: c commit, n nil, a absent."""
    parts = sha256(b"parts").digest()
    block_id = BlockId(header.hash(), 1, parts)
    places = []
    for letter, validator in zip(how, validators.validators, strict=True):
        flag = {"c": Flag.COMMIT, "n": Flag.NIL, "a": Flag.ABSENT}[letter]
        places.append(ABSENT if letter == "a" else CommitSig(flag, validator.address, NOW, b""))
    draft = Commit(header.height, 0, block_id, tuple(places))
    signatures = tuple(
        each
        if each.flag is Flag.ABSENT
        else CommitSig(
            each.flag,
            each.address,
            each.timestamp,
            ed25519.sign(keys[each.address], draft.sign_bytes(header.chain_id, at)),
        )
        for at, each in enumerate(places)
    )
    return SignedHeader(header, Commit(header.height, 0, block_id, signatures))
