"""Every refusal of a contract comes back as a word: through estimate, call and receipt."""

import inspect
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.agent.errors import NetworkRefused
from keymoot.agent.query import QueryReverted
from keymoot.agent.reverted import word_of
from keymoot.attest.evidence import CollateralStale, EvidenceRefused
from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, AppId, Bytes32, Measurement, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.contracts import Context, Contract, ContractError, call, uint256, view
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.contracts.builtin.wallets.asker import AppNotGranted
from keymoot.contracts.builtin.wallets.queue import StockEmpty
from keymoot.contracts.framework.errors import ANY_REFUSAL, COMMON, revert_data, revert_data_of
from keymoot.gateway.errors import RpcError, of_call
from keymoot.runtime.query import Query, estimate
from tests.contracts.toys import deployed
from tests.runtime.people import OWNER, Scenario, calldata

VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**63 - 1),
    UnixSeconds: st.integers(0, 2**63 - 1),
    str: st.text(max_size=80),
    bytes: st.binary(max_size=64),
    **{
        kind: st.binary(min_size=kind.LENGTH, max_size=kind.LENGTH).map(kind)
        for kind in (Address, AppId, Bytes32, Measurement, WalletId)
    },
}


def every_error(base: type[ContractError] = ContractError) -> set[type[ContractError]]:
    near = {kind for kind in base.__subclasses__() if kind.__module__.startswith("keymoot.")}
    return near | {deeper for kind in near for deeper in every_error(kind)}


ERRORS = sorted(
    (kind for kind in every_error() if kind.code != ContractError.code), key=lambda kind: kind.code
)
PUBLIC = {error for row in BUILT_IN for error in (*COMMON, *row.kind.ERRORS)}


@st.composite
def raised(draw: st.DrawFn) -> ContractError:
    """Any error of a contract, with any values that its class takes."""
    kind = draw(st.sampled_from(ERRORS))
    hints = get_type_hints(kind.__init__)
    names = [
        parameter.name
        for parameter in list(inspect.signature(kind.__init__).parameters.values())[1:]
        if parameter.kind is not inspect.Parameter.VAR_POSITIONAL
    ]
    return kind(*(draw(VALUES[hints[name]]) for name in names))


class Refuses(Contract):
    """Says what it is told to say."""

    ADDRESS = Address(b"refuses".ljust(20, b"\0"))
    says: Refused

    @call
    def act(self, ctx: Context) -> uint256:
        del ctx
        raise self.says

    @view
    def look(self, ctx: Context) -> uint256:
        del ctx
        raise self.says


SCENE = Scenario()
SCENE.chain.contracts = SCENE.chain.contracts.plus(*deployed(Refuses))


def reason_told(error: RpcError) -> str:
    told = error.to_json()
    return NetworkRefused(error.code, error.message, told.get("data")).reason


def check(error: Refused) -> None:
    Refuses.says = error
    data = calldata(Refuses, "act")
    # 1. A call, and one that an enclave answers under seal.
    with pytest.raises(type(error)) as seen:
        SCENE.chain.ask(Refuses.ADDRESS, calldata(Refuses, "look"))
    assert reason_told(of_call(seen.value)) == error.code
    sealed = QueryReverted("no", revert_data_of(error), word_of(revert_data_of(error)))
    assert sealed.reason == error.code
    # 2. An estimate.
    query = Query(Refuses.ADDRESS, data, claimed=OWNER.address)
    with pytest.raises(type(error)) as seen:
        estimate(SCENE.chain.state(), SCENE.chain.block, SCENE.chain.contracts, query)
    assert reason_told(of_call(seen.value)) == error.code
    # 3. A receipt: the word is in it, and in what the call gave.
    receipt = SCENE.chain.send(SCENE.raw(OWNER, Refuses.ADDRESS, data))
    assert (receipt.status, receipt.error_code) == (0, error.code)
    assert word_of("0x" + receipt.output.hex()) == error.code


@given(raised())
def test_every_error_of_a_contract_has_a_word_wherever_it_is_told(error: ContractError) -> None:
    check(error)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.code)
def test_each_has_a_signature_that_says_no_other(kind: type[ContractError]) -> None:
    assert kind.SIGNATURE != ANY_REFUSAL, "a client could not tell it by its selector"
    assert kind in PUBLIC, "name it in the ERRORS of the contract that raises it, or in COMMON"
    same = {other for other in ERRORS if other.SIGNATURE == kind.SIGNATURE}
    assert {other.code for other in same} == {kind.code}


@pytest.mark.parametrize(
    "error",
    [
        EvidenceRefused("nobody vouches"),
        CollateralStale("a list", 9, 1, 5),
        AppNotGranted("ask the owner"),
        StockEmpty("later"),
        type("Theirs", (ContractError,), {}, code="THEIRS")("said by somebody's contract"),
    ],
    ids=lambda error: error.code,
)
def test_so_has_what_other_packages_refuse_in_a_contract(error: Refused) -> None:
    check(error)


@given(st.text(max_size=80), st.text(max_size=80))
def test_only_words_are_words(code: str, message: str) -> None:
    """What comes back decides what a program does: no sentence, no line break, nothing long."""
    data = "0x" + revert_data("Refused(string,string)", (code, message)).hex()
    word = word_of(data)
    assert word in ("", code)
    assert not word or (len(word) <= 64 and word.isascii() and word.isupper() and " " not in word)


@given(st.one_of(st.none(), st.integers(), st.binary(), st.text(), st.binary().map(bytes.hex)))
def test_strange_data_have_no_word_and_break_nothing(data: object) -> None:
    assert word_of(data) == ""
    assert word_of(f"0x{revert_data('Refused(string,string)', ('A', 'b')).hex()[:8]}{data}") == ""


@pytest.mark.parametrize(
    ("code", "told", "shown"),
    [
        (3, "execution reverted: this owner has a wallet", "this owner has a wallet"),
        (3, "execution reverted", "execution reverted"),
        (-32000, "execution reverted: not by a call", "execution reverted: not by a call"),
    ],
)
def test_people_are_told_what_a_contract_says_and_no_machines_word_for_it(
    code: int, told: str, shown: str
) -> None:
    assert str(NetworkRefused(code, told)) == shown
