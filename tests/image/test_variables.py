"""One rule for the names of secrets: what a manifest may say is what the daemon sets."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.daemon.environment import environment
from keymoot.image.manifest import parse_manifest
from keymoot.image.variables import value_of, variable

SOCKET = Path("/run/rofl-appd.sock")
TURNING = [
    "PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV", "PYTHONPATH", "PYTHON_X", "LD_PRELOAD",
    "NODE_OPTIONS", "KEYMOOT_SOCKET", "DSTACK_SIMULATOR_ENDPOINT", "TAPPD_SIMULATOR_ENDPOINT",
]  # fmt: skip


def manifest(name: str) -> str:
    return f'name = "a"\nversion = "1"\ncommand = ["python"]\ninclude = []\nsecrets = ["{name}"]\n'


@pytest.mark.parametrize("name", TURNING)
def test_a_name_that_the_daemon_leaves_out_is_refused_before(name):
    with pytest.raises(Malformed, match="choose another name") as caught:
        parse_manifest(manifest(name).encode())
    assert caught.value.path == "secrets[0]"
    assert environment({}, SOCKET, SOCKET, {name: Secret(b"x")}).left_out == (name,)


@given(st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}", fullmatch=True) | st.sampled_from(TURNING))
def test_a_manifest_names_what_the_daemon_sets_and_nothing_else(name):
    try:
        named = parse_manifest(manifest(name).encode()).described.secrets
    except Malformed:
        named = ()
    set_there = environment({}, SOCKET, SOCKET, {name: Secret(b"x")})
    assert (named == (name,)) == (name in set_there.variables and variable(name) == name)


def test_values_that_no_variable_has_are_told_apart():
    assert [value_of(raw) for raw in (b"a", b"\xff", b"a\0b")] == ["a", None, None]
