"""Small batches: the rules are the same, the arithmetic is a tenth."""

import pytest

from keymoot.moot import stock


@pytest.fixture(autouse=True, scope="package")
def small_batches():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stock, "BATCH_SIZE", 4)
        yield
