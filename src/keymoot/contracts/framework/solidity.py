"""Solidity interface files of contracts, made from their classes."""

from keymoot.contracts.framework.contract import Method
from keymoot.contracts.framework.errors import ANY_REFUSAL, COMMON
from keymoot.contracts.framework.registry import Deployment

_DYNAMIC = ("bytes", "string")


def interface_of(version: Deployment) -> str:
    kind = version.kind
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "// Made from the contract's class; do not edit.",
        "pragma solidity ^0.8.4;",
        "",
        f"/// {(kind.__doc__ or '').splitlines()[0]}",
        f"/// Stands at {kind.ADDRESS.hex0x}.",
        f"interface I{version.name} {{",
    ]
    for event in sorted(kind.EVENTS, key=lambda declared: declared.__name__):
        fields = ", ".join(
            f"{abi}{' indexed' if indexed else ''} {_camel(name)}"
            for name, abi, indexed in event.inputs()
        )
        lines.append(f"    event {event.__name__}({fields});")
    signatures = {ANY_REFUSAL, *(error.SIGNATURE for error in (*COMMON, *kind.ERRORS))}
    lines += [f"    error {signature};" for signature in sorted(signatures)]
    for method in sorted(kind.METHODS.values(), key=lambda method: method.name):
        lines += ["", *_function(method)]
    return "\n".join([*lines, "}", ""])


def _function(method: Method) -> list[str]:
    summary = (method.function.__doc__ or "").strip().splitlines()[0]
    inputs = ", ".join(f"{_placed(abi, 'calldata')} {name}" for name, abi in method.inputs)
    words = ["external"]
    if method.rules.view:
        words.append("view")
    if method.rules.payable:
        words.append("payable")
    if method.outputs:
        outputs = ", ".join(_placed(abi, "memory") for abi in method.outputs)
        words.append(f"returns ({outputs})")
    return [f"    /// {summary}", f"    function {method.name}({inputs}) {' '.join(words)};"]


def _placed(abi: str, where: str) -> str:
    return f"{abi} {where}" if abi in _DYNAMIC or abi.endswith("]") else abi


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
