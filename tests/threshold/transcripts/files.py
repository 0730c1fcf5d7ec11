"""The files of transcripts, by name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.threshold.transcripts import (
    certificate,
    ecdsa,
    frost,
    keygen,
    presignature,
    reshare,
    statekey,
    wallet,
)
from tests.threshold.transcripts.scene import Object

FOLDER = Path(__file__).parents[3] / "vectors/threshold"

FILES: dict[str, Callable[[], Iterator[Object]]] = {
    "keygen": keygen.transcripts,
    "reshare": reshare.transcripts,
    "presignature": presignature.transcripts,
    "ecdsa": ecdsa.transcripts,
    "frost": frost.transcripts,
    "wallet": wallet.transcripts,
    "certificate": certificate.transcripts,
    "statekey": statekey.transcripts,
}


def text_of(name: str) -> str:
    """Give the content of one file."""
    return json.dumps(list(FILES[name]()), indent=1) + "\n"
