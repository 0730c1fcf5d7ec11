"""What an instance keeps for its registrations: a node is asked before it could be too little."""

from keymoot.agent.key_questions import ATTEMPTS, QUESTION_GAS
from keymoot.base.units import Wei
from keymoot.daemon.reserve import QUESTIONS, RESERVE_WEI, Reserve

FEE = Wei(10**9)
MOST = ATTEMPTS * QUESTION_GAS * FEE


class Account:
    """One that counts how often it was looked at."""

    def __init__(self, held: int) -> None:
        self.held, self.asked = held, 0
        self.reserve = Reserve(self._look, lambda: FEE)

    def _look(self) -> Wei:
        self.asked += 1
        return Wei(self.held)


def test_a_full_account_is_looked_at_once_for_many_questions():
    account = Account(10**21)
    assert [account.reserve.lacks() for _ in range(QUESTIONS)] == [None] * QUESTIONS
    assert account.asked == 1
    assert account.reserve.lacks() is None
    assert account.asked == 2


def test_it_is_looked_at_anew_before_the_questions_since_can_have_taken_too_much():
    account = Account(RESERVE_WEI + 2 * MOST)
    assert [account.reserve.lacks() for _ in range(2)] == [None, None]
    assert account.asked == 1
    # they cost as much as they may
    account.held = RESERVE_WEI
    assert account.reserve.lacks() == RESERVE_WEI
    assert account.asked == 2


def test_one_that_lacks_is_looked_at_each_time_until_it_has_more():
    account = Account(RESERVE_WEI)
    assert [account.reserve.lacks() for _ in range(2)] == [RESERVE_WEI] * 2
    account.held = RESERVE_WEI + 1
    assert account.reserve.lacks() is None
    assert account.asked == 3


def test_whatever_else_is_paid_for_has_it_looked_at_anew():
    account = Account(10**21)
    assert account.reserve.lacks() is None
    account.held = 0
    account.reserve.forget()
    assert account.reserve.lacks() == 0
