"""Keccak-256, Ethereum's hash (the original padding, not SHA3-256's)."""

from Crypto.Hash import keccak as _keccak

from keymoot.base.fixed import Hash32

_LENGTH = 32


def keccak256(data: bytes) -> Hash32:
    """Hash `data` of any length."""
    return Hash32(_keccak.new(data=data, digest_bits=256).digest())


def keccak256_raw(data: bytes) -> bytes:
    """Hash `data` without giving the result a type: for trees, where it is one of thousands."""
    return _keccak.new(data=data, digest_bits=256).digest()


EMPTY_CODE_HASH = keccak256(b"")
"""Keccak-256 of no bytes: the code hash of an account without code."""
