"""What dstack's `Info` tells of an app and its instance, as far as it means something here."""

import json
from hashlib import sha256
from typing import Any

from keymoot.attest.evidence import ReportData
from keymoot.attest.quote import read_quote
from keymoot.base.errors import Malformed
from keymoot.daemon.event_log import EventLog
from keymoot.daemon.port import InstanceIdentity, RegisteredInstance
from keymoot.daemon.quotes import quote_of

REV = "keymoot"
VERSIONS = {"v0": "0.5.11", "v1": "0.6.0"}
"""Versions of dstack whose interfaces these are."""

_ZEROS = ReportData(bytes(ReportData.LENGTH))


def app_id(identity: InstanceIdentity) -> bytes:
    """Give the 20 bytes by which dstack's clients know an app: ours without its version."""
    return bytes(identity.app)[1:]


def app_compose(identity: InstanceIdentity) -> str:
    """Give the document of the app; its hash is `compose_hash`."""
    told = {"name": identity.name or identity.app.text, "runner": "keymoot"}
    told["measurement"] = identity.measurement.hex()
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def info_v0(instance: RegisteredInstance, log: EventLog, certificate: str) -> dict[str, Any]:
    """Give `Info` of version 0, and of tappd: half of it a JSON text within."""
    common, registers = _common(instance.identity), _registers(instance, log)
    compose = app_compose(instance.identity)
    tcb = {
        **registers,
        "mr_aggregated": common["mr_aggregated"],
        "os_image_hash": common["os_image_hash"],
        "compose_hash": common["compose_hash"],
        "device_id": common["device_id"],
        "event_log": log.to_json(),
        "app_compose": compose,
    }
    return {**common, "app_cert": certificate, "tcb_info": json.dumps(tcb)}


def info_v1(instance: RegisteredInstance) -> dict[str, Any]:
    return {**_common(instance.identity), "app_compose": app_compose(instance.identity)}


def _common(identity: InstanceIdentity) -> dict[str, Any]:
    provider = {"name": "keymoot", "id": identity.verifying_key.hex()}
    return {
        "app_id": app_id(identity).hex(),
        "app_name": identity.name,
        "compose_hash": sha256(app_compose(identity).encode()).hexdigest(),
        "instance_id": identity.key.hex(),
        # Machines are not told apart here, and their images are the measurement's business.
        "device_id": "",
        "os_image_hash": "",
        "mr_aggregated": sha256(identity.measurement).hexdigest(),
        "vm_config": "",
        "key_provider_info": json.dumps(provider),
        "cloud_vendor": "SIMULATED" if identity.simulated else "",
        "cloud_product": "",
    }


def _registers(instance: RegisteredInstance, log: EventLog) -> dict[str, str]:
    """Give MRTD and RTMR0 to RTMR3: a quote's, or those of SIMULATED machines."""
    names = ["mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"]
    if instance.identity.vendor == "tdx":
        try:
            parts = read_quote(quote_of(instance.evidence(_ZEROS))).fields
            return {name: parts[name.upper()].hex() for name in names}
        except (Malformed, KeyError):
            return dict.fromkeys(names, "")
    told = [instance.identity.measurement.hex(), *log.registers()]
    return dict(zip(names, told, strict=True))
