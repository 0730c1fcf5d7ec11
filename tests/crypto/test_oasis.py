"""Names of apps are those that Oasis computes, for its own published test accounts."""

from keymoot.base import bech32
from keymoot.base.fixed import Address, AppId
from keymoot.base.units import Height, Nonce
from keymoot.crypto.oasis import app_by_nonce, app_by_place, native_address

ALICE = bech32.decode("oasis1qrec770vrek0a9a5lcrv0zvt22504k68svq7kzve", "oasis", 21)


def test_by_place() -> None:
    app = app_by_place(ALICE, Height(42), 0)
    assert app.text == "rofl1qr98wz5t6q4x8ng6a5l5v7rqlx90j3kcnun5dwht"
    assert AppId.from_text(app.text) == app
    others = {app_by_place(ALICE, Height(42), 1), app_by_place(ALICE, Height(43), 0)}
    assert len(others | {app}) == 3


def test_by_nonce() -> None:
    assert app_by_nonce(ALICE, Nonce(0)).text == "rofl1qqxxv77j6qy3rh50ah9kxehsh26e2hf7p5r6kwsq"


def test_an_ethereum_account_has_a_name_of_21_bytes() -> None:
    # dave of the runtime's own test keys; the address is the one that its clients show
    dave = Address.from_hex("0xdce075e1c39b1ae0b75d554558b6451a226ffe00")
    shown = bech32.encode("oasis", native_address(dave))
    assert shown == "oasis1qrk58a6j2qn065m6p06jgjyt032f7qucy5wqeqpt"
