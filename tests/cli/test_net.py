"""What an operator reads about one seat."""

from keymoot.cli.net import _seat_line


def seat(identity: str) -> dict:
    return {
        "identityKey": identity,
        "since": 7,
        "seated": True,
        "restarts": 0,
        "leaving": False,
        "excluded": False,
    }


def test_an_enclave_that_the_ledger_does_not_know_is_called_that() -> None:
    node = {"identityKey": "0x" + "ab" * 32, "measurement": "0x" + "cd" * 48}
    assert "since height 7" in _seat_line(2, node, seat(node["identityKey"]))
    lost = _seat_line(2, node, seat("0x" + "ef" * 32))
    assert "its folder was lost" in lost
    assert "since height" not in lost
