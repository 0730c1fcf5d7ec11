"""What the agent's process finds: sockets and secrets, and nothing of ours."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.secret import Secret
from keymoot.daemon.environment import OURS, environment
from keymoot.image.variables import variable

ROFL, DSTACK = Path("/run/rofl-appd.sock"), Path("/run/dstack.sock")


def made(inherited=None, **secrets):
    found = {name: Secret(value) for name, value in secrets.items()}
    return environment(inherited or {}, ROFL, DSTACK, found)


def test_the_sockets_are_named():
    found = made({"PATH": "/bin", "KEYMOOT_CREDENTIAL": "x", "KEYMOOT_SIMULATED_CPU": "y"})
    assert found.variables == {
        "PATH": "/bin",
        "KEYMOOT_SOCKET": str(ROFL),
        "DSTACK_SIMULATOR_ENDPOINT": str(DSTACK),
        "TAPPD_SIMULATOR_ENDPOINT": str(DSTACK),
    }


def test_secrets_become_variables():
    found = environment({}, ROFL, DSTACK, {"api key": Secret("gehe\u00efm".encode())})
    assert found.variables["API_KEY"] == "gehe\u00efm"
    assert "gehe" not in repr(found)


@pytest.mark.parametrize(
    "name",
    ["PATH", "path", "LD_PRELOAD", "PYTHONPATH", "PYTHON_X", "KEYMOOT_SOCKET", "NODE_OPTIONS",
     "DSTACK_SIMULATOR_ENDPOINT", "1A", "A-B", "A=B", "", "\u00dc", "x" * 129, "BASH_ENV", "A\nB"],
)  # fmt: skip
def test_names_that_would_turn_the_process_are_left_out(name):
    found = environment({"PATH": "/bin"}, ROFL, DSTACK, {name: Secret(b"x")})
    assert found.left_out == (name,)
    assert set(found.variables) == {"PATH", *OURS}


@pytest.mark.parametrize("value", [b"\xff", b"a\0b"])
def test_values_that_no_variable_has_are_left_out(value):
    assert made(A=value).left_out == ("A",)


@given(st.text(max_size=12))
def test_each_name_that_is_one_can_be_set(name):
    found = variable(name)
    assert found is None or (found.isascii() and "=" not in found and found == found.upper())
