"""Every chain for which wallets sign: whatever asks which one it is asks here.

A new chain is a folder beside this file, and its object in `CHAINS`.
"""

from keymoot.base.errors import Defect, Malformed
from keymoot.base.fixed import Fixed
from keymoot.base.strict_json import Json
from keymoot.policy.chains.chain import Chain, ChainName, Intent, WishKind
from keymoot.policy.chains.evm.chain import EVM
from keymoot.policy.chains.solana.chain import SOLANA
from keymoot.policy.errors import BadPolicy
from keymoot.policy.names import parse_address, parse_solana_address

CHAINS: tuple[Chain, ...] = (EVM, SOLANA)


class ChainRegistry:
    """Chains, by whatever tells them apart."""

    def __init__(self, *chains: Chain) -> None:
        self.chains = chains
        self.by_namespace = {chain.namespace: chain for chain in chains}
        self.by_type = {chain.addresses.type: chain for chain in chains}
        self.by_method = {method: chain for chain in chains for method in chain.kinds}
        told = [chain for chain in chains if chain.told_by_length]
        self.by_length = {chain.addresses.type.LENGTH: chain for chain in told}
        methods = sum(len(chain.kinds) for chain in chains)
        names = len(self.by_namespace), len(self.by_type)
        if names != (len(chains), len(chains)) or len(self.by_length) != len(told):
            raise Defect("two chains have one namespace, one type of address, or one length")
        if len(self.by_method) != methods:
            raise Defect("two chains have the same method")


_registry = ChainRegistry(*CHAINS)


def chain_of(address: Fixed) -> Chain:
    """The address's type tells."""
    return _registry.by_type[type(address)]


def chain_in(namespace: str) -> Chain:
    """Raise BadPolicy where there is no such namespace."""
    chain = _registry.by_namespace.get(namespace)
    if chain is None:
        known = " or ".join(chain.namespace for chain in _registry.chains)
        raise BadPolicy(f"wallets are of {known}")
    return chain


def chain_with(method: str) -> Chain | None:
    return _registry.by_method.get(method)


def kind_of(intent: Intent) -> WishKind:
    return chain_of(intent.wallet).kinds[intent.method]


def kept_address(raw: bytes, namespace: str | None) -> Fixed:
    """Give an address as a wallet's record keeps it.

    Args:
        raw: Its bytes.
        namespace: The chain's; None where the address's length tells.

    Raises:
        Malformed: no such chain, or another length.
    """
    if namespace is None:
        chain = _registry.by_length.get(len(raw))
    else:
        chain = _registry.by_namespace.get(namespace)
        # One form for each: what the length tells is not said again.
        chain = None if chain is not None and chain.told_by_length else chain
    if chain is None:
        raise Malformed("an address of no chain that is known", "account")
    return chain.addresses.type(raw)


def written_address(address: Fixed) -> str:
    """Write a wallet's address so that its text tells the chain, for files."""
    chain = chain_of(address)
    return address.text if chain.told_by_length else f"{chain.namespace}:{address.text}"


def read_address(text: object, path: str) -> Fixed:
    """Read what `written_address` gives."""
    namespace, colon, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    if colon:
        chain = chain_in(namespace)
        if chain.told_by_length:
            raise BadPolicy(f"an address of {namespace} stands without the chain's name", path)
        address: Fixed = chain.addresses.parse(rest, path)
        return address
    return (
        parse_address(text, path)
        if namespace.startswith("0x")
        else parse_solana_address(text, path)
    )


def parse_chain(json: Json) -> ChainName:
    """Read `eip155:8453`, or `solana:` and 32 characters of base58."""
    namespace, _, reference = json.partition(":") if isinstance(json, str) else ("", "", "")
    chain = _registry.by_namespace.get(namespace)
    if chain is not None and chain.is_reference(reference):
        return ChainName(namespace, reference)
    examples = " or ".join(f'"{chain.example}"' for chain in _registry.chains)
    raise BadPolicy(f"a chain is written as {examples}", "chain")
