"""Sealed files, the simulated CPU, and measurement."""

import os
import shutil
from pathlib import Path

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Bytes32, Hash32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.committee.reshare.epoch_keys import GONE, KeyRotation, Role
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.sealed_file import CannotUnseal, read_sealed, write_sealed
from keymoot.enclave.sealed_state import (
    FILE_NAME,
    OtherNetwork,
    open_sealed_state,
    write_sealed_state,
)
from keymoot.enclave.simulated import FuseRefused, SimulatedPlatform, read_fuse

NAME = Bytes32(b"v" * 32)
CODE = Measurement(b"c" * 48)


def platform(fuse: bytes = b"f" * 32, code: Measurement = CODE) -> SimulatedPlatform:
    return SimulatedPlatform(Secret(fuse), code)


def test_a_sealed_file_opens_for_the_same_code_on_the_same_machine(tmp_path: Path) -> None:
    path = tmp_path / "x.sealed"
    write_sealed(path, platform(), "test", b"secret content")
    assert read_sealed(path, platform(), "test") == b"secret content"
    assert b"secret" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert read_sealed(tmp_path / "none", platform(), "test") is None


def test_it_does_not_open_elsewhere_by_other_code_or_for_another_purpose(tmp_path: Path) -> None:
    path = tmp_path / "x.sealed"
    write_sealed(path, platform(), "test", b"secret content")
    for other in (platform(fuse=b"g" * 32), platform(code=Measurement(b"d" * 48))):
        with pytest.raises(CannotUnseal, match="same fuse file"):
            read_sealed(path, other, "test")
    with pytest.raises(CannotUnseal):
        read_sealed(path, platform(), "other")


def test_every_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sealed"
    write_sealed(path, platform(), "test", b"secret content")
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(broken))
        with pytest.raises(CannotUnseal):
            read_sealed(path, platform(), "test")
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CannotUnseal):
            read_sealed(path, platform(), "test")


def test_a_patched_source_measures_differently_and_opens_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "keymoot"
    shutil.copytree(own_package(), copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert measure(copy) == measure(own_package())
    honest = platform(code=measure(copy))
    keep = open_sealed_state(tmp_path / "enclave", honest)
    victim = copy / "enclave" / "sealed_state.py"
    victim.write_bytes(victim.read_bytes() + b"\n")
    assert measure(copy) != honest.measurement
    with pytest.raises(CannotUnseal, match="other code"):
        open_sealed_state(tmp_path / "enclave", platform(code=measure(copy)))
    (copy / "extra.py").write_text("")
    (copy / "gateway" / "extra.py").write_text("")
    victim.write_bytes(victim.read_bytes()[:-1])
    # What no enclave imports counts for nothing.
    assert measure(copy) == measure(own_package())
    (copy / "enclave" / "extra.so").write_bytes(b"")
    assert measure(copy) != measure(own_package())
    again = open_sealed_state(tmp_path / "enclave", honest)
    assert again.identity.expose() == keep.identity.expose()
    assert again.state is keep.state is None
    write_sealed_state(tmp_path / "enclave", honest, again.holding(NAME, Secret(b"s" * 32), NAME))
    held = open_sealed_state(tmp_path / "enclave", honest).turned(FORWARD)
    assert held.state is not None
    assert held.state.expose() == b"s" * 32


def test_an_enclave_belongs_to_one_network_for_ever(tmp_path: Path) -> None:
    keep = open_sealed_state(tmp_path, platform())
    joined = keep.joined(NetworkId(b"n" * 32))
    write_sealed_state(tmp_path, platform(), joined)
    again = open_sealed_state(tmp_path, platform())
    assert again.network == NetworkId(b"n" * 32)
    assert again.joined(NetworkId(b"n" * 32)).network == again.network
    with pytest.raises(OtherNetwork, match="nothing at start replaces"):
        again.joined(NetworkId(b"m" * 32))
    assert b"n" * 32 not in (tmp_path / FILE_NAME).read_bytes()


def test_the_fuse_file_is_made_once_private_and_outside(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    path = tmp_path / "cpu" / "fuse.key"
    first = read_fuse(path, data)
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_fuse(path, data).expose() == first.expose()
    with pytest.raises(FuseRefused, match="inside the data folder"):
        read_fuse(data / "fuse.key", data)
    path.chmod(0o640)
    with pytest.raises(FuseRefused, match="0600"):
        read_fuse(path, data)
    path.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(FuseRefused):
        read_fuse(link, data)
    path.write_bytes(os.urandom(31))
    with pytest.raises(FuseRefused, match="32 bytes"):
        read_fuse(path, data)


def test_sealing_keys_differ_by_purpose() -> None:
    keys = {platform().sealing_key(name).expose() for name in ("keep", "votes", "x")}
    assert len(keys) == 3
    assert isinstance(Hash32(keys.pop()), Hash32)


FORWARD = KeyRotation(Role.NEXT, Role.LIVING, 3)
ON = KeyRotation(Role.NEXT, Role.PREVIOUS, 3)
BACK = KeyRotation(Role.PREVIOUS, None, 4)
SETTLED = KeyRotation(Role.LIVING, None, 3)


def test_epoch_keys_turn_forward_back_and_away(tmp_path: Path) -> None:
    first = open_sealed_state(tmp_path, platform())
    assert first.previous is None
    second = first.turned(FORWARD)
    write_sealed_state(tmp_path, platform(), second)
    second = open_sealed_state(tmp_path, platform())
    assert second.previous is not None
    assert second.previous.expose() == first.epoch.expose()
    assert second.epoch.expose() == first.next.expose()
    assert second.recoveries == 3
    third = second.turned(ON)
    assert third.previous is second.previous
    assert third.epoch is second.next
    back = second.turned(BACK)
    assert back.epoch.expose() == first.epoch.expose()
    assert back.previous is None
    settled = second.turned(SETTLED)
    assert settled.previous is None
    assert (settled.epoch, settled.next) == (second.epoch, second.next)
    assert back.recoveries == 4
    gone = second.turned(GONE)
    assert gone.previous is None
    known = [one.expose() for one in (first.epoch, first.next, second.next)]
    for keep in (back, gone):
        # whatever serves next was never posted
        assert keep.next.expose() not in known
    assert gone.epoch.expose() not in known
    write_sealed_state(tmp_path, platform(), settled)
    assert open_sealed_state(tmp_path, platform()).previous is None


def test_nothing_turns_back_to_a_key_that_is_erased(tmp_path: Path) -> None:
    keep = open_sealed_state(tmp_path, platform())
    with pytest.raises(Defect):
        keep.turned(BACK)
