"""Guesses by name and type, for functions that the table of powers does not have."""

import re

_SOMEBODY = re.compile(
    r"to|dst|dest|guy|usr|user|who|whom|account|owner|admin|holder|payee|payout|delegatee?|"
    r"beneficiary|spender|operator|manager|guardian|signer|executor|implementation|module|"
    r".*(recipient|receiver|receipient|beneficiary|destination|onbehalf|onbehalfof|spender|"
    r"payee|newowner|newadmin|operator|delegatee?|refundto|sendto|payto|address)"
)
"""Names of somebody who gets something."""

_STRONG = re.compile(r".*(recipient|receiver|beneficiary|spender|destination|newowner)")
"""Names that say so even where the type is no address: bridges write bytes32, or numbers."""

_THINGS = re.compile(
    r".*(token|asset|coin|currency|collateral|underlying|vault|pool|market|oracle|irm|pair|"
    r"router|gauge|reward|feed|adapter|strategy|nft|collection|contract|quote|base|path|weth|"
    r"referrer|referral|affiliate|from|src|sender|in|out|tokens|assets|pools|markets|rewards)[0-9a-z]?"
)
"""Names of addresses that get nothing: what is traded, and where."""

_PROOFS = re.compile(
    r".*(sig|sigs|signature|signatures|proof|proofs|permit|attestation|vaa|update|updatedata|"
    r"priceupdate|hint|path|salt|uri|name|symbol|memo|note|text|message|comment|metadata|tag)"
)
"""Names of bytes that call nothing."""

_CALLERS = re.compile(
    r".*(exec|execute|call|multicall|batch|forward|relay|invoke|dispatch|proxy|propose|schedule)"
    r".*"
)

_GIVERS = re.compile(
    r".*(transfer|approv|allowance|disperse|airdrop|payout|send|permit|authoriz|delegat).*"
)
"""Functions that by their name give value away, in types that no standard has."""

_CONTROLS = re.compile(
    r"_*(set|change|update|transfer|grant|upgrade|add|install|register|nominate|propose|init).*"
    r"(owner|admin|role|operator|authority|govern|guardian|manager|minter|oracle|implementation|"
    r"controller|module|delegate|signer|keeper|strateg|treasury|feeto|recipient|receiver|proxy).*"
)
"""Functions that by their name give control away, whatever their arguments are called."""

_BYTES = re.compile(r"bytes(\[.*)?")


def is_somebody(path: str) -> bool:
    return _SOMEBODY.fullmatch(_plain(path)) is not None


def looks_like_gift(function: str) -> bool:
    return _GIVERS.fullmatch(function.lower()) is not None


def looks_like_somebody(function: str, path: str, kind: str) -> bool:
    """Tell whether an argument of a function may say who gets something."""
    name = _plain(path)
    if kind.startswith("("):
        return "address" in kind
    if kind.startswith("address"):
        if _CONTROLS.fullmatch(function.lower()) is not None:
            return True
        return is_somebody(name) or _THINGS.fullmatch(name) is None
    if kind.startswith(("bytes", "string")):
        return is_somebody(name)
    if kind.startswith(("uint256", "uint160")):
        return _STRONG.fullmatch(name) is not None
    return False


def hides_calls(function: str, path: str, kind: str) -> bool:
    name = _plain(path)
    if kind.startswith("("):
        return re.search(r"bytes(?![0-9])", kind) is not None
    if _BYTES.fullmatch(kind) is None:
        return False
    if _CALLERS.fullmatch(function.lower()) is not None:
        return True
    return _PROOFS.fullmatch(name) is None


def _plain(path: str) -> str:
    return path.rpartition(".")[2].replace("_", "").lower()
