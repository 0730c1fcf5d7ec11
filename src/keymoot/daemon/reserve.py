"""What an instance's account keeps for its registrations, and is left after questions for keys.

Nobody else signs for the account. So it has at least what it had when a node was asked, less the
most that each question since can have cost; a node is asked anew before that is too little, and
now and then in any case.
"""

from collections.abc import Callable

from keymoot.agent.key_questions import ATTEMPTS, QUESTION_GAS
from keymoot.base.units import Wei

RESERVE_WEI = 10**17
"""Of its instance's account an agent neither sends nor spends what goes below this: it pays for
registrations, and no question costs so much."""

QUESTIONS = 64
"""How many questions go out on one word of a node's."""


class Reserve:
    """What the account has at least; one thread at a time uses it."""

    def __init__(self, ask: Callable[[], Wei], base_fee: Callable[[], Wei]) -> None:
        """Have `ask` say what the account has, and `base_fee` what a unit of gas costs."""
        self._ask, self._base_fee = ask, base_fee
        self._at_least, self._left = 0, 0

    def forget(self) -> None:
        """Have a node asked before the next question: something else has been paid for."""
        self._left = 0

    def lacks(self) -> Wei | None:
        """Give what the account has, where a question may take what registrations need."""
        if self._left == 0 or self._at_least <= RESERVE_WEI:
            self._at_least, self._left = self._ask(), QUESTIONS
        if self._at_least <= RESERVE_WEI:
            self._left = 0
            return Wei(self._at_least)
        self._at_least -= ATTEMPTS * QUESTION_GAS * self._base_fee()
        self._left -= 1
        return None
