"""What an enclave refuses its host, each with a word that the host's log and operator can read."""

from keymoot.base.errors import Refused
from keymoot.base.units import Height


class NotListed(Refused, code="NOT_LISTED"):
    message = "only a start that the genesis lists founds its network"


class CertificateMissing(Refused, code="CERTIFICATE_MISSING"):
    message = "a block other than the record's own needs its certificate"


class NotCovered(Refused, code="NOT_COVERED"):
    def __init__(self, height: Height) -> None:
        super().__init__(f"no certificate that covers block {height} was shown")


class MisplacedRecord(Refused, code="MISPLACED_RECORD"):
    def __init__(self, height: Height) -> None:
        super().__init__(f"the founding record is of block {height}")


class OrderRefused(Refused, code="ORDER_REFUSED"):
    def __init__(self, why: str) -> None:
        super().__init__(f"the recovery order {why}")


class UnknownMessage(Refused, code="UNKNOWN_MESSAGE"):
    def __init__(self, word: str) -> None:
        super().__init__(f'"{word}" is no message to an enclave')


class FaultySignature(Refused, code="FAULTY_SIGNATURE"):
    """A signature of Vault's does not verify: it could tell the key, and does not leave."""

    message = "the signature does not fit the wallet"
