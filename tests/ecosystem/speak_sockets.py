"""ROFL's and dstack's own clients, unmodified, on the sockets that the daemon made."""

import asyncio
import hashlib
import json
import os
import sys
import warnings
from pathlib import Path

import cbor2
from dstack_sdk import AsyncDstackClient, DstackClient, TappdClient
from dstack_sdk.ethereum import to_account_secure
from dstack_sdk.solana import to_keypair_secure
from oasis_rofl_client import AsyncRoflClient, KeyKind, RoflClient

warnings.simplefilter("ignore", DeprecationWarning)

# ROFL
rofl = RoflClient(os.environ["KEYMOOT_SOCKET"])
keys = {kind.value: rofl.generate_key("wt3.trading_key", kind) for kind in KeyKind}
assert keys["secp256k1"] == rofl.generate_key("wt3.trading_key")
rofl.set_metadata({"version": "7"})
assert rofl.get_metadata() == {"version": "7"}
to = "0x" + "0b" * 20
sent = rofl.sign_submit({"gas": 0, "to": to, "value": 11, "data": "0x00"}, encrypt=False)
balance = cbor2.loads(rofl.query("evm.Balance", cbor2.dumps({"address": bytes.fromhex(to[2:])})))
limits = cbor2.loads(rofl.query("rofl.MetadataLimits", cbor2.dumps(None)))
again = asyncio.run(AsyncRoflClient(os.environ["KEYMOOT_SOCKET"]).generate_key("wt3.trading_key"))

# dstack, which finds its socket by the environment
dstack = DstackClient()
info = dstack.info()
key = dstack.get_key("wallet", "signing")
solana = dstack.get_key("wallet", algorithm="ed25519")
tls = dstack.get_tls_key("agent", ["agent.example"], usage_ra_tls=True, not_after=2_000_000_000)
dstack.emit_event("ready", b"go")
quote = dstack.get_quote(b"mine")
signed = dstack.sign("ed25519", b"text")
verified = dstack.verify("ed25519", b"text", signed.decode_signature(), signed.decode_public_key())
digest = hashlib.sha256(b"text").digest()
blind = dstack.sign("secp256k1_prehashed", digest)
prehashed = dstack.verify(
    "secp256k1_prehashed", digest, blind.decode_signature(), blind.decode_public_key()
)
attestation = dstack.attest(b"mine").decode_attestation()
reachable, version = dstack.is_reachable(), dstack.version().version


async def asynchronous() -> str:
    async with AsyncDstackClient() as client:
        return (await client.get_key("wallet", "signing")).key


# tappd
tappd = TappdClient()
old = tappd.derive_key("wallet")
old_quote = tappd.tdx_quote(b"mine", "sha512")

told = {
    "app": rofl.get_app_id(),
    "keys": keys,
    "again": again,
    "sent": "ok" in sent,
    "balance": int.from_bytes(balance, "big"),
    "limits": limits["max_pairs"],
    "dstackApp": info.app_id,
    "rtmr3": info.tcb_info.rtmr3,
    "replayed": quote.replay_rtmrs()[3],
    "now": dstack.info().tcb_info.rtmr3,
    "report": quote.report_data,
    "quote": quote.quote,
    "key": key.key,
    "async": asyncio.run(asynchronous()),
    "chain": [len(one) for one in key.decode_signature_chain()],
    "ethereum": to_account_secure(key).address,
    "solana": str(to_keypair_secure(solana).pubkey()),
    "verified": [verified.valid, prehashed.valid],
    "certificates": len(tls.certificate_chain),
    "attested": len(attestation) > 100,
    "reachable": [reachable, version],
    "tappd": [len(old.certificate_chain), len(old_quote.decode_quote()) > 100],
    "tappdKey": old.key,
    "tappdInfo": tappd.info().app_name,
}
Path(sys.argv[1]).write_text(json.dumps(told))
