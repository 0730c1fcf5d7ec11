"""Ask a vendor's service over HTTPS, once, for no more than any vendor publishes."""

import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.error import URLError

from keymoot.agent.errors import NetworkUnreachable
from keymoot.attest.dcap import MAX_COLLATERAL_BYTES
from keymoot.base.errors import Malformed

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class HttpsAnswer:
    """What a service answered: its body, and its headers by their names in lower case."""

    body: bytes
    headers: Mapping[str, str]


Get = Callable[[str], HttpsAnswer]


def https_get(url: str) -> HttpsAnswer:
    """Send a GET over HTTPS; NetworkUnreachable where there is no good answer in time."""
    if not url.startswith("https://"):
        raise Malformed("a service's address begins with https://", "service")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  https
            body = answer.read(MAX_COLLATERAL_BYTES + 1)
            headers = {name.lower(): value for name, value in answer.headers.items()}
    except (URLError, OSError) as error:
        raise NetworkUnreachable(url, str(getattr(error, "reason", error))) from error
    if len(body) > MAX_COLLATERAL_BYTES:
        raise Malformed(f"a list has at most {MAX_COLLATERAL_BYTES} bytes", url)
    return HttpsAnswer(body, headers)
