"""The generated protobuf classes are those of messages.proto."""

import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

import keymoot.attest

SOURCE = Path(keymoot.attest.__file__).parents[2]
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


def test_generated_code_is_that_of_the_definitions(tmp_path: Path) -> None:
    plugin = Path(sys.executable).with_name("protoc-gen-mypy")
    status = protoc.main(
        [
            "protoc",
            f"-I{SOURCE}",
            f"-I{WELL_KNOWN}",
            f"--python_out={tmp_path}",
            f"--plugin=protoc-gen-mypy={plugin}",
            f"--mypy_out=quiet:{tmp_path}",
            "keymoot/attest/messages.proto",
        ]
    )
    assert status == 0
    for name in ("messages_pb2.py", "messages_pb2.pyi"):
        made = (tmp_path / "keymoot" / "attest" / name).read_text()
        assert made == (SOURCE / "keymoot" / "attest" / name).read_text(), name
