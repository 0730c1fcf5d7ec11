"""What a call returned, as several nodes say it: none of them alone decides."""

from typing import Any
from unittest import mock

import pytest

from keymoot.agent.nodes import NodeSet
from keymoot.agent.submission import Submission
from keymoot.agent.transport import ConnectionLost, Transport

TRUE, FALSE = {"output": "0x01"}, {"output": "0x02"}
GONE = ConnectionLost("gone")


def told(*answers: Any) -> bytes:
    """Give the output where the nodes answer so."""
    nodes = NodeSet([f"http://node{at}.example" for at in range(len(answers))])
    by_url = {f"http://node{at}.example": answer for at, answer in enumerate(answers)}

    def call(transport: Transport, method: str, params: Any, seconds: float) -> Any:
        assert (method, params, seconds > 0) == ("keymoot_getOutcome", ["0x0a"], True)
        answer = by_url[transport.url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    submission = Submission(nodes, 5.0, mock.Mock(), mock.Mock())
    with mock.patch.object(Transport, "call", autospec=True, side_effect=call):
        return submission.output({"transactionHash": "0x0a"})


@pytest.mark.parametrize(
    ("answers", "output"),
    [
        ([TRUE], b"\1"),
        ([FALSE, TRUE, TRUE], b"\1"),
        ([FALSE, TRUE], b""),
        ([TRUE, GONE, GONE], b""),
        ([GONE, TRUE, TRUE], b"\1"),
        ([{"output": 7}, TRUE, TRUE], b"\1"),
        ([None, [], TRUE, TRUE, TRUE], b"\1"),
        ([FALSE, FALSE, TRUE, TRUE], b""),
        ([GONE], b""),
        ([{"output": "0x0"}], b""),
        ([{}], b""),
    ],
)
def test_more_than_half_of_the_nodes_say_it_or_nobody_knows(
    answers: list[Any], output: bytes
) -> None:
    assert told(*answers) == output
