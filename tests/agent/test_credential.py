"""Credential files are read strictly, and only if nobody else can read them."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.credential import Credential
from keymoot.agent.errors import BadCredential, CredentialUnusable
from keymoot.committee.certified import VERIFYING_KEY_BYTES
from tests.agent.fake_network import FakeNetwork


def _good() -> Credential:
    network = FakeNetwork()
    network.url = "http://127.0.0.1:8645"
    return network.credential()


GOOD = _good()


def test_reads_what_it_saved(tmp_path: Path) -> None:
    path = tmp_path / "yield.cred"
    GOOD.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    read = Credential.load(path)
    assert read.encode() == GOOD.encode()
    assert read.requester == GOOD.requester


def test_is_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        GOOD.save(tmp_path / "yield.cred")
    finally:
        os.umask(old)
    assert (tmp_path / "yield.cred").stat().st_mode & 0o777 == 0o600


def test_never_overwrites(tmp_path: Path) -> None:
    GOOD.save(tmp_path / "yield.cred")
    with pytest.raises(CredentialUnusable, match="exists"):
        GOOD.save(tmp_path / "yield.cred")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_refuses_a_file_that_others_can_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "yield.cred"
    GOOD.save(path)
    path.chmod(mode)
    with pytest.raises(CredentialUnusable, match="chmod 600"):
        Credential.load(path)


def test_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CredentialUnusable):
        Credential.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"version": 1}, "version"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"network": "0x12"}, "network"),
        ({"wallet": 5}, "wallet"),
        ({"address": "0x" + "gg" * 20}, "address"),
        ({"verifyingKey": "0x12"}, "verifyingKey"),
        ({"verifyingKey": "0xc0" + "00" * 95}, "verifyingKey"),
        ({"verifyingKey": "0x" + "11" * 96}, "verifyingKey"),
        ({"expires": 0}, "expires"),
        ({"expires": True}, "expires"),
        ({"expires": "soon"}, "expires"),
        ({"key": "0x" + "00" * 32}, "key"),
        ({"key": "0x" + "ff" * 32}, "key"),
        ({"key": "0x11"}, "key"),
    ],
)
def test_names_the_field_that_is_wrong(change: dict[str, Any], path: str) -> None:
    document = json.loads(GOOD.encode()) | change
    with pytest.raises(BadCredential) as caught:
        Credential.decode(json.dumps(document).encode())
    assert caught.value.path == path


def test_names_one_node_as_before_and_several_in_a_list() -> None:
    document = json.loads(GOOD.encode())
    assert (document["version"], document["url"]) == (2, "http://127.0.0.1:8645")
    urls = ("https://a.example", "https://b.example:8645/rpc")
    several = replace(GOOD, urls=urls)
    document = json.loads(several.encode())
    assert (document["version"], document["urls"]) == (3, list(urls))
    assert "url" not in document
    assert Credential.decode(several.encode()).urls == urls
    assert Credential.decode(several.encode()).encode() == several.encode()


@pytest.mark.parametrize(
    "urls",
    [
        [],
        ["https://a.example"],
        ["https://a.example"] * 2,
        [f"https://{at}.example" for at in range(9)],
        ["https://a.example", 7],
        ["https://a.example", ""],
        ["https://a.example", "https://b.example,https://c.example"],
        "https://a.example,https://b.example",
        None,
    ],
)
def test_a_list_names_two_to_eight_different_nodes(urls: Any) -> None:
    document = json.loads(replace(GOOD, urls=("http://a", "http://b")).encode())
    with pytest.raises(BadCredential) as caught:
        Credential.decode(json.dumps(document | {"urls": urls}).encode())
    assert caught.value.path == "urls"


def test_one_of_an_earlier_release_is_told_apart() -> None:
    document = json.loads(GOOD.encode()) | {"version": 1, "nodes": ["0x" + "11" * 32]}
    with pytest.raises(
        BadCredential, match="versions 2 and 3: ask the owner for `keymoot wallet grant`"
    ):
        Credential.decode(json.dumps(document).encode())


@pytest.mark.parametrize("change", ["surprise", None])
def test_refuses_unknown_and_missing_fields(change: str | None) -> None:
    document = json.loads(GOOD.encode())
    if change is None:
        del document["verifyingKey"]
    else:
        document[change] = 1
    with pytest.raises(BadCredential, match="has the fields"):
        Credential.decode(json.dumps(document).encode())


def test_no_error_repeats_the_key() -> None:
    document = json.loads(GOOD.encode())
    key = document["key"]
    document["key"] = key + "00"
    with pytest.raises(BadCredential) as caught:
        Credential.decode(json.dumps(document).encode())
    assert key[2:] not in str(caught.value)
    assert key[2:] not in repr(GOOD)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: json.dumps(text).encode()))
def test_parser_raises_only_its_error(raw: bytes) -> None:
    with pytest.raises(BadCredential):
        Credential.decode(raw)


@given(st.data())
def test_parser_survives_changed_bytes(data: st.DataObject) -> None:
    raw = bytearray(GOOD.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Credential.decode(bytes(raw))
    except BadCredential:
        return
    assert len(found.verifying_key) == VERIFYING_KEY_BYTES
