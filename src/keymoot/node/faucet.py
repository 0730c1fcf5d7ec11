"""Test tokens for a development network, from the accounts that every developer knows.

They come from the mnemonic "test test … junk" that Ethereum's local tools share, so their
keys are public; a network whose genesis does not say `development` has none of this.
"""

import asyncio

from keymoot.base.fixed import Address, Hash32
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, Wei
from keymoot.crypto.secp256k1 import address_of_secret, sign
from keymoot.crypto.transactions import signing_hash
from keymoot.engine.ledger import Ledger
from keymoot.runtime import gas

PUBLIC_KEY_OF_ALL_DEVELOPERS = Secret(
    bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
)
"""Private key of the first account of "test test … junk"; known to everybody."""

FAUCET_ACCOUNT: Address = address_of_secret(PUBLIC_KEY_OF_ALL_DEVELOPERS)

TEST_SUPPLY = Wei(10**9 * 10**18)
"""What the first account has at genesis."""

DRIP = Wei(1_000 * 10**18)
"""What one call pays."""

WAIT_SECONDS = 20.0


class Faucet:
    """Pays test tokens."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._turn = asyncio.Lock()

    async def drip(self, to: Address) -> Hash32:
        """Pay to an address and wait for the certified block; give the transaction's hash."""
        async with self._turn:
            transaction = EvmTransaction(
                kind=DYNAMIC_FEE,
                chain_id=self._ledger.genesis.chain_id,
                nonce=self._ledger.pending_nonce(FAUCET_ACCOUNT),
                max_priority_fee=Wei(0),
                max_fee=self._ledger.genesis.base_fee,
                gas=Gas(gas.TRANSACTION),
                to=to,
                value=DRIP,
                data=b"",
            )
            signature = sign(PUBLIC_KEY_OF_ALL_DEVELOPERS, signing_hash(transaction))
            name = await self._ledger.submit(transaction.signed_bytes(signature))
            await self._ledger.wait(name, WAIT_SECONDS)
            return name
