"""What every account of an agent is made of: a credential, and who asks the network with it."""

import os
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

from keymoot.agent.credential import Credential
from keymoot.agent.errors import CredentialUnusable
from keymoot.agent.nodes import NodeSet
from keymoot.agent.processes import stays_here
from keymoot.agent.seen import Seen, beside
from keymoot.agent.signing_request import SigningRequests
from keymoot.base.fixed import Fixed
from keymoot.policy.chains.registry import chain_of

URL = "KEYMOOT_URL"

TIMEOUT_SECONDS = 30.0
"""How long a call waits for its signature."""


class Connected:
    """A wallet whose key is in the network; safe to use from threads, and after a fork.

    Compare, print and hash it freely. It cannot be pickled: connect again instead.
    """

    ADDRESS: ClassVar[type[Fixed]]

    def __init__(
        self,
        credential: Credential,
        url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        seen: Path | None = None,
    ) -> None:
        """Take a credential; nothing is sent yet.

        Args:
            credential: From the file that `keymoot wallet grant` wrote.
            url: Keymoot RPC, of several nodes with commas; the credential's own if None.
            timeout_seconds: How long a call may wait for its signature.
            seen: File that remembers the newest block seen, for the next process (see
                `keymoot.agent.seen`); None for this process only.

        Raises:
            CredentialUnusable: it is for a wallet of other chains.
            SeenUnusable: the file is damaged, or of another network.
        """
        if not isinstance(credential.address, self.ADDRESS):
            raise _another_chain(credential)
        self._begin(credential.address)
        self._credential = credential
        self._nodes = NodeSet.at(url) if url else NodeSet(credential.urls)
        remembered = None if seen is None else Seen(seen, credential.network)
        self._wishes = SigningRequests(credential, self._nodes, timeout_seconds, remembered)

    @abstractmethod
    def _begin(self, address: Any) -> None:
        """Take the wallet's address, which is an `ADDRESS`."""

    @classmethod
    def connect(
        cls,
        name: str,
        *,
        credential: str | os.PathLike[str] | None = None,
        url: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Self:
        """Open the wallet that your owner calls `name`.

        The newest block seen of the network is remembered beside the credential's file.

        Args:
            name: Must be the credential's, so that no wallet is mistaken for another.
            credential: Path of the credential's file; KEYMOOT_CREDENTIAL if None.
            url: Keymoot RPC, as there; KEYMOOT_URL if None, else the credential's.
            timeout_seconds: How long a call may wait for its signature.

        Raises:
            CredentialUnusable: not there, open to others, expired, or of another name or chain.
            BadCredential: the file is no credential.
            SeenUnusable: what was seen cannot be read.
        """
        path = Credential.named(name, credential)
        held = Credential.connect(name, path)
        return cls(held, url or os.environ.get(URL) or None, timeout_seconds, beside(path))

    @property
    def name(self) -> str:
        """What the owner calls the wallet."""
        return self._credential.name

    def close(self) -> None:
        """Close the connections that wait for the next call; write down what was seen."""
        self._wishes.close()
        self._nodes.close()

    def __reduce__(self) -> NoReturn:
        """Refuse pickling: it would carry the credential's key."""
        kind = type(self).__name__
        stays_here(f"this {kind}", f'call {kind}.connect("{self.name}")')


def _another_chain(credential: Credential) -> CredentialUnusable:
    chain = chain_of(credential.address)
    client = _CLIENTS.get(chain.namespace)
    use = f": use keymoot.agent.{client}" if client else ""
    return CredentialUnusable(
        f'"{credential.name}" is a wallet of {chain.namespace} ({credential.address.text}){use}'
    )


_CLIENTS = {"eip155": "Account", "solana": "SolanaAccount"}
"""What opens a chain's wallets, by its namespace."""
