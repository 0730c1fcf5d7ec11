"""What one request gets from one enclave: sealed to whoever asked, signed by its identity."""

from dataclasses import dataclass
from typing import Annotated

from keymoot.base.errors import MAX_MESSAGE_BYTES, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.forms import AtMost, Cut
from keymoot.base.record import Record
from keymoot.crypto.ed25519 import SigningKey
from keymoot.crypto.keccak import keccak256

SHARE_INFO = b"keymoot/share/v1"
"""What an answer is sealed for (HPKE's info, with the network's id behind it)."""


class AnswersOnDemand(Refused, code="RESTS"):
    message = "enough others answer this request: ask, if they do not"


@dataclass(frozen=True, slots=True)
class RequestAnswer(Record):
    """What one request gets: sealed and signed, or the word and message of a refusal."""

    request: Hash32
    sealed: bytes
    signature: bytes
    code: Annotated[str, AtMost(64)] = ""
    message: Annotated[str, Cut(MAX_MESSAGE_BYTES)] = ""


def signed_answer(
    network: bytes, request: Hash32, content: bytes, identity: SigningKey
) -> RequestAnswer:
    signed = keccak256(network + request + content)
    return RequestAnswer(request, content, identity.sign(signed))
