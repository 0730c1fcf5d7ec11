"""Instructions of Solana that are refused by name, whatever rules say.

What is not listed is refused too: nobody here knows what it does.
"""

from keymoot.base.fixed import SolanaAddress
from keymoot.policy.chains.solana.token_account import ASSOCIATED_TOKEN_PROGRAM, TOKEN_PROGRAM

SYSTEM_PROGRAM = SolanaAddress(bytes(32))
COMPUTE_BUDGET = SolanaAddress.from_base58("ComputeBudget111111111111111111111111111111")

_NEVER_EXPIRES = "makes a transaction that never expires"

_SYSTEM = {
    0: ("ACCOUNT_CREATION", "CreateAccount gives lamports to an account of another program"),
    1: ("OWNERSHIP", "Assign gives the wallet itself to a program"),
    3: ("ACCOUNT_CREATION", "CreateAccountWithSeed gives lamports to another program"),
    4: ("DURABLE_NONCE", f"AdvanceNonceAccount {_NEVER_EXPIRES}"),
    5: ("DURABLE_NONCE", "WithdrawNonceAccount empties a nonce account"),
    6: ("DURABLE_NONCE", f"InitializeNonceAccount prepares what {_NEVER_EXPIRES}"),
    7: ("DURABLE_NONCE", "AuthorizeNonceAccount gives a nonce account away"),
    8: ("ALLOCATION", "Allocate makes the wallet an account that cannot pay"),
    9: ("ALLOCATION", "AllocateWithSeed prepares an account for a program"),
    10: ("OWNERSHIP", "AssignWithSeed gives an account to a program"),
    11: ("TRANSFER_FROM", "TransferWithSeed moves lamports of another account"),
    12: ("DURABLE_NONCE", "UpgradeNonceAccount changes a nonce account"),
    13: ("ACCOUNT_CREATION", "CreateAccountAllowPrefund gives lamports to another program"),
}

_TOKEN = {
    3: ("UNCHECKED_TRANSFER", "Transfer does not name the mint: use TransferChecked"),
    4: ("APPROVAL", "Approve gives a delegate the tokens: transfer them instead"),
    6: ("OWNERSHIP", "SetAuthority gives an account away"),
    8: ("BURN", "Burn destroys tokens"),
    9: ("CLOSE_ACCOUNT", "CloseAccount sends an account's lamports away"),
    13: ("APPROVAL", "ApproveChecked gives a delegate the tokens: transfer them instead"),
    15: ("BURN", "BurnChecked destroys tokens"),
    38: ("CLOSE_ACCOUNT", "WithdrawExcessLamports sends an account's lamports away"),
    45: ("CLOSE_ACCOUNT", "UnwrapLamports sends an account's lamports away"),
    255: ("WRAPPER", "Batch hides other instructions"),
}

_BUDGET = {
    1: ("COMPUTE_BUDGET", "RequestHeapFrame is for programs that are not signed for here"),
    4: ("COMPUTE_BUDGET", "SetLoadedAccountsDataSizeLimit is not needed here"),
}

_BY_PROGRAM = {
    SYSTEM_PROGRAM: ("System", 4, _SYSTEM),
    TOKEN_PROGRAM: ("SPL Token", 1, _TOKEN),
    COMPUTE_BUDGET: ("ComputeBudget", 1, _BUDGET),
}

_PROGRAMS = {
    ASSOCIATED_TOKEN_PROGRAM: (
        "ACCOUNT_CREATION",
        "making a token account pays its rent: let somebody else make it",
    ),
    SolanaAddress.from_base58("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"): (
        "TOKEN_2022",
        "Token-2022 runs hooks and takes fees that nobody can see here",
    ),
    SolanaAddress.from_base58("AddressLookupTab1e1111111111111111111111111"): (
        "TABLE_LOOKUPS",
        "tables hide the accounts of later transactions",
    ),
    SolanaAddress.from_base58("Stake11111111111111111111111111111111111111"): (
        "STAKE",
        "the Stake program moves stake and its authorities",
    ),
    SolanaAddress.from_base58("BPFLoaderUpgradeab1e11111111111111111111111"): (
        "CONTRACT_CREATION",
        "the loader changes programs and their authorities",
    ),
}


def hazard_of(program: SolanaAddress, data: bytes) -> tuple[str, str]:
    """Give the reason word and a description of an instruction that is not signed."""
    if program in _PROGRAMS:
        return _PROGRAMS[program]
    if program not in _BY_PROGRAM:
        return "UNKNOWN_PROGRAM", f"nobody here knows what program {program.base58} does"
    name, width, known = _BY_PROGRAM[program]
    number = int.from_bytes(data[:width], "little")
    if len(data) >= width and number in known:
        return known[number]
    shown = f"instruction {number}" if len(data) >= width else "an empty instruction"
    return "UNKNOWN_INSTRUCTION", f"{shown} of {name} is none that is signed"
