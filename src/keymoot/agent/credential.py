"""An agent's credential: a file that lets its holder ask one wallet, and nothing else.

Whoever reads the file can ask in the agent's name until it expires or is revoked, within
the wallet's policy; hence mode 0600, which `load` insists on. The form is JSON:

    {"version": 2, "name": "yield", "network": "0x…", "url": "http://127.0.0.1:8645",
     "wallet": "0x…", "address": "0x…", "verifyingKey": "0x…", "expires": 1798000000,
     "key": "0x…"}

Where the owner named several nodes it is version 3, with "urls", a list, in the place of "url".
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Self

from keymoot.agent.errors import BadCredential, CredentialUnusable
from keymoot.agent.new_file import write_new
from keymoot.agent.nodes import MAX_NODES, MAX_URL_CHARACTERS
from keymoot.agent.processes import stays_here
from keymoot.base import hexes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, NetworkId, WalletAddress, WalletId
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.base.units import UnixSeconds
from keymoot.committee.certified import VERIFYING_KEY_BYTES
from keymoot.crypto import secp256k1
from keymoot.policy.chains.registry import read_address, written_address
from keymoot.threshold.bls12381 import G2

VERSION, WITH_URLS = 2, 3

VARIABLE = "KEYMOOT_CREDENTIAL"
"""Environment variable that names the file."""

MAX_FILE_BYTES = 32_768
MAX_NAME_CHARACTERS = 64

_TRUST = {"network", "verifyingKey"}
_FIELDS = {"version", "name", "wallet", "address", "expires", "key"} | _TRUST


@dataclass(frozen=True, slots=True)
class Credential:
    """What an agent holds.

    Attributes:
        name: What its owner calls the wallet; for people only.
        network: The network's id, which it signs into every request.
        urls: Keymoot RPC of one node or several, in the order in which they are asked.
        wallet: The wallet's id on the ledger.
        address: The wallet's address: on every EVM chain, or on Solana.
        verifying_key: The point of G2 under which the network's blocks are certified, as its
            founding record has it: whoever keeps the keys now is proved under it (`proven`).
        expires: When the ledger stops to accept it.
        key: The credential's private key; not the wallet's.
    """

    name: str
    network: NetworkId
    urls: tuple[str, ...]
    wallet: WalletId
    address: WalletAddress
    verifying_key: bytes
    expires: UnixSeconds
    key: Secret

    @property
    def requester(self) -> Address:
        """The credential's own address, by which the wallet knows it."""
        return secp256k1.address_of_secret(self.key)

    @property
    def shown_address(self) -> str:
        return written_address(self.address)

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the private key."""
        stays_here("a credential", "call Credential.load(path)")

    def encode(self) -> bytes:
        """Give the file's bytes, the private key included."""
        several = len(self.urls) > 1
        where: Json = list(self.urls) if several else self.urls[0]
        return canonical(
            {
                "version": WITH_URLS if several else VERSION,
                "name": self.name,
                "network": self.network.hex0x,
                "urls" if several else "url": where,
                "wallet": self.wallet.hex0x,
                "address": self.shown_address,
                "verifyingKey": hexes.data(self.verifying_key),
                "expires": self.expires,
                "key": hexes.data(self.key.expose()),
            }
        )

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read the file's bytes.

        Raises:
            BadCredential: the path names the field; the key itself is never repeated.
        """
        try:
            document = parse(raw, MAX_FILE_BYTES)
        except Malformed as error:
            raise BadCredential(f"this is no credential file: {error}") from None
        if not isinstance(document, dict):
            raise BadCredential("a credential file is a JSON object")
        version = document.get("version", VERSION)
        if version not in (VERSION, WITH_URLS):
            raise BadCredential(
                f"this program reads versions {VERSION} and {WITH_URLS}: ask the owner for `keymoot wallet grant`",
                "version",
            )
        names = _FIELDS | {"url" if version == VERSION else "urls"}
        if document.keys() != names:
            raise BadCredential(f"a credential has the fields {', '.join(sorted(names))}")
        return cls(
            name=_text(document, "name", MAX_NAME_CHARACTERS),
            network=NetworkId(_bytes(document["network"], "network", NetworkId.LENGTH)),
            urls=_urls(document),
            wallet=WalletId(_bytes(document["wallet"], "wallet", WalletId.LENGTH)),
            address=_address(document["address"]),
            verifying_key=_verifying_key(document["verifyingKey"]),
            expires=_expires(document["expires"]),
            key=_key(document["key"]),
        )

    @staticmethod
    def named(name: str, path: str | os.PathLike[str] | None) -> Path:
        """Give the path of the file for a wallet.

        `path`, or the environment's KEYMOOT_CREDENTIAL.
        """
        path = path or os.environ.get(VARIABLE)
        if not path:
            raise CredentialUnusable(
                f"no credential: set {VARIABLE} to the file that "
                f"`keymoot wallet grant {name} --out FILE` wrote"
            )
        return Path(path)

    @classmethod
    def connect(cls, name: str, path: str | os.PathLike[str] | None) -> Self:
        """Load the credential of the wallet that its owner calls `name`.

        Of another name it is refused.
        """
        path = cls.named(name, path)
        held = cls.load(path)
        if held.name != name:
            raise CredentialUnusable(
                f'the credential in {path} is for the wallet "{held.name}", not "{name}": '
                f'connect("{held.name}"), or set {VARIABLE} to another file'
            )
        if held.expires <= time.time():
            raise CredentialUnusable(
                f"the credential in {path} has expired: ask the owner for `keymoot wallet grant`"
            )
        return held

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that nobody else can read."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise CredentialUnusable(
                f"{path} cannot be read ({error.strerror}): set KEYMOOT_CREDENTIAL to the file "
                "that `keymoot wallet grant … --out FILE` wrote"
            ) from error
        try:
            _check_private(os.fstat(handle), path)
            return cls.decode(os.read(handle, MAX_FILE_BYTES + 1))
        except BadCredential as error:
            raise BadCredential(f"{error.reason} (in {path})", error.path) from None
        finally:
            os.close(handle)

    def save(self, path: Path) -> None:
        """Write a new file with mode 0600; never overwrites."""
        try:
            write_new(path, self.encode())
        except CannotWrite as error:
            raise CredentialUnusable(str(error)) from error


def _check_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CredentialUnusable(f"{path} is not a file")
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise CredentialUnusable(
            f"{path} has mode {mode:04o}, others can read it: run `chmod 600 {path}`, and "
            "revoke the credential if somebody may have read it"
        )


def _text(document: dict[str, Json], name: str, longest: int) -> str:
    value = document[name]
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise BadCredential(f"text of 1 to {longest} characters is expected", name)
    return value


def _urls(document: dict[str, Json]) -> tuple[str, ...]:
    """One address, or two to eight of different nodes."""
    if "url" in document:
        return (_text(document, "url", MAX_URL_CHARACTERS),)
    told = document["urls"]
    if not isinstance(told, list) or not 1 < len(told) <= MAX_NODES:
        raise BadCredential(f"a list of 2 to {MAX_NODES} addresses is expected", "urls")
    urls = tuple(_text({"urls": url}, "urls", MAX_URL_CHARACTERS) for url in told)
    if len(set(urls)) != len(urls) or any("," in url for url in urls):
        raise BadCredential("each address stands there once, with no comma in it", "urls")
    return urls


@contextmanager
def _field(name: str) -> Iterator[None]:
    try:
        yield
    except Malformed as error:
        raise BadCredential(error.reason, name) from None


def _bytes(value: Json, name: str, length: int) -> bytes:
    with _field(name):
        data = hexes.parse_data(value, name)
        if len(data) != length:
            raise Malformed(f"{length} bytes are expected, got {len(data)}")
        return data


def _verifying_key(value: Json) -> bytes:
    with _field("verifyingKey"):
        raw = _bytes(value, "verifyingKey", VERIFYING_KEY_BYTES)
        G2.decode(raw)
        return raw


def _address(value: Json) -> WalletAddress:
    with _field("address"):
        return read_address(value, "address")


def _expires(value: Json) -> UnixSeconds:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise BadCredential("seconds since 1970 are expected", "expires")
    return UnixSeconds(value)


def _key(value: Json) -> Secret:
    with _field("key"):
        return secp256k1.check_private_key(Secret(_bytes(value, "key", 32)))
