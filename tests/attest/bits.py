"""Which bits of evidence are flipped: some while a person waits, all where there is time."""

from random import Random

from tests.examples import examples

SOME = 200


def flips(raw: bytes, everything: bool) -> list[int]:
    """Give bits of `raw`: in a quick run 30, else a few hundred, or every single one.

    Args:
        raw: What has the bits.
        everything: Whether this is the sample of its format that is gone through whole.
    """
    total = 8 * len(raw)
    count = min(total, examples(total if everything else SOME))
    return sorted(Random(total).sample(range(total), count))


def flipped(raw: bytes, bit: int) -> bytes:
    """Give the same with one bit turned."""
    made = bytearray(raw)
    made[bit // 8] ^= 1 << bit % 8
    return bytes(made)
