"""The genesis that enclaves of a test found."""

from keymoot.base.units import LEDGER_CHAIN_ID, Wei
from keymoot.committee.genesis import BASE_FEE_WEI, Founder, Genesis, Member
from keymoot.enclave import messages
from tests.enclave.box import START, nanos
from tests.runtime.people import AGENT, OWNER, STRANGER


def genesis_of(founders: list[messages.EnclaveGreeting]) -> Genesis:
    return Genesis(
        chain_id=LEDGER_CHAIN_ID,
        development=True,
        base_fee=BASE_FEE_WEI,
        time=nanos(START),
        members=tuple(
            Member(one.identity_key, Founder(one.identity_key, one.sealing, one.session))
            for one in founders
        ),
        allocations=tuple((one.address, Wei(10**24)) for one in (OWNER, AGENT, STRANGER)),
        measurements=tuple(sorted({one.measurement for one in founders})),
    )
