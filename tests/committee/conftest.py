"""Small batches: the rules are the same, the arithmetic is a tenth."""

import pytest

from keymoot.committee.presign import ledger as stock


@pytest.fixture(autouse=True, scope="package")
def small_batches():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, "BATCH_SIZE", 4)
        yield
