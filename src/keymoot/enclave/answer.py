"""What one request gets from one enclave: sealed to whoever asked, signed by its identity."""

from dataclasses import dataclass

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256

SHARE_INFO = b"keymoot/share/v1"
"""What an answer is sealed for (HPKE's info, with the network's id behind it)."""


class Rests(Refused):
    """Enough others answer; this enclave does when it is asked."""

    code = "RESTS"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("enough others answer this request: ask, if they do not")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets: sealed and signed, or the word and message of a refusal."""

    request: Hash32
    sealed: bytes
    signature: bytes
    code: str = ""
    message: str = ""


def signed_answer(network: bytes, request: Hash32, content: bytes, identity: SigningKey) -> Answer:
    """Sign what a node gives for a request, as whoever asked checks it."""
    signed = keccak256(network + request + content)
    return Answer(request, content, identity.sign(signed))
