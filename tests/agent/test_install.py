"""The client stands alone: no server code, and nothing slow before it is needed."""

import subprocess
import sys

SERVER_ONLY = {
    "keymoot.engine",
    "keymoot.enclave",
    "keymoot.gateway",
    "keymoot.node",
    "keymoot.runtime",
    "cbor2",
    "dcap_qvl",
    "google.protobuf",
    "lmdb",
    "starlette",
    "uvicorn",
    "web3",
}
ENCLAVES_DOOR = {"keymoot.enclave"}
"""Of which the daemon has the kernel's doors to evidence."""

SLOW = {"eth_account", "eth_abi", "pydantic"}


def _loaded_by(statement: str) -> set[str]:
    """Give the modules that a fresh interpreter has after `statement`."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_client_loads_no_server() -> None:
    loaded = _loaded_by("import keymoot.agent.account, keymoot.agent.owner, keymoot.agent.keystore")
    assert not loaded & SERVER_ONLY


def test_the_daemon_is_in_a_clients_install() -> None:
    loaded = _loaded_by("import keymoot.daemon.run, keymoot.daemon.joined, keymoot.daemon.machine")
    assert not loaded & (SERVER_ONLY - ENCLAVES_DOOR)


def test_the_package_itself_loads_nothing_slow() -> None:
    loaded = _loaded_by("import keymoot.agent, keymoot.agent.credential, keymoot.agent.transport")
    assert not loaded & (SERVER_ONLY | SLOW)


def test_account_is_found_where_the_readme_says() -> None:
    assert "keymoot.agent.account" in _loaded_by("from keymoot.agent import Account")
