"""Ask AMD's key service, or a cache of it, for what it publishes of one line of processors.

AMD, "Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification". Nothing
of it is believed for where it came from: the ledger checks that it leads to AMD's root.
"""

from typing import Final

from keymoot.agent.https import Get
from keymoot.attest.certificates import read_pem
from keymoot.attest.snp import LINES, AmdChain
from keymoot.base.errors import Malformed

SERVICE: Final = "https://kdsintf.amd.com"

KINDS: Final = ("VCEK", "VLEK")
"""Whose keys AMD's signing key vouches for: chips', or clouds'."""

_LINES: Final = {line.name.upper(): line.name for line in LINES}


def fetch_amd_chain(line: str, kind: str, get: Get, service: str = SERVICE) -> AmdChain:
    """Give a line's certificates, and the root's list of revoked keys.

    Args:
        line: MILAN, GENOA or TURIN.
        kind: VCEK for keys of chips, VLEK for keys of clouds.
        get: Sends a GET.
        service: Its address, without a path.

    Raises:
        Malformed: no such line, or the answer is not what AMD's service gives.
        NetworkUnreachable: nobody answers.
    """
    if line not in _LINES or kind not in KINDS:
        raise Malformed(
            f"a line of AMD's is SNP: and {', '.join(_LINES)}, as SNP:MILAN; for keys of clouds "
            "SNP:MILAN:VLEK"
        )
    at = f"{service.rstrip('/')}/{kind.lower()}/v1/{_LINES[line]}"
    chain = read_pem(get(f"{at}/cert_chain").body.rstrip(b"\n") + b"\n", "cert_chain")
    if len(chain) != 2:
        raise Malformed("a signing key's certificate and the root's were expected", "cert_chain")
    return AmdChain(*chain, get(f"{at}/crl").body)
