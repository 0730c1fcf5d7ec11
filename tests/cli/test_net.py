"""What an operator reads about one seat."""

from keymoot.attest.machines import CLOSED_AND_UP_TO_DATE
from keymoot.base.fixed import Measurement
from keymoot.cli.net import _admits, _makers, _moot_json, _proved_fields, _seat_line
from keymoot.committee.attestation import Attestation, NodeDemands


def seat(identity: str) -> dict:
    return {
        "identityKey": identity,
        "since": 7,
        "seated": True,
        "restarts": 0,
        "leaving": False,
        "excluded": False,
    }


def test_an_enclave_that_the_ledger_does_not_know_is_called_that() -> None:
    node = {"identityKey": "0x" + "ab" * 32, "measurement": "0x" + "cd" * 48}
    assert "since height 7" in _seat_line(2, node, seat(node["identityKey"]))
    lost = _seat_line(2, node, seat("0x" + "ef" * 32))
    assert "its folder was lost" in lost
    assert "since height" not in lost


def test_a_seats_line_says_by_whose_word_it_runs_what_it_says() -> None:
    node = {"identityKey": "0x" + "ab" * 32, "measurement": "0x" + "cd" * 48}
    told = seat(node["identityKey"]) | {"vendor": "snp", "maker": "AMD"}
    assert "by the word of AMD  since height 7" in _seat_line(2, node, told)


def test_a_node_does_not_say_who_makes_enclaves_of_a_vendor() -> None:
    """The vendor is proved; who that is we know. Else SIMULATED seats would be called Intel's."""
    node = {"identityKey": "0x" + "ab" * 32, "measurement": "0x" + "cd" * 48}
    lying = seat(node["identityKey"]) | {"vendor": "simulated", "maker": "Intel"}
    assert "by the word of nobody (SIMULATED)  since" in _seat_line(2, node, lying)
    assert _moot_json({"seats": [lying]})["seats"][0]["maker"] == "nobody (SIMULATED)"
    # one of an older version tells nothing of it, and one that lies may tell anything
    assert _moot_json({"seats": [seat("0xab")]})["seats"] == [seat("0xab")]
    lines = _seat_line(2, node, lying | {"vendor": "tdx\nseat 9"})
    assert "by the word of tdx\\u{a}seat 9" in lines
    assert "by the word of" not in _seat_line(2, node, lying | {"vendor": ["tdx"]})


def test_whose_evidence_counts_and_how_makers_are_mixed_is_said() -> None:
    code = (Measurement(b"c" * 48),)
    assert _admits(Attestation(code, simulated=True)) == "evidence of simulated"
    assert _admits(Attestation(code)) == "evidence of nobody"
    demands = NodeDemands(("snp", "tdx"), CLOSED_AND_UP_TO_DATE, 2)
    assert _admits(Attestation(code, simulated=False, demands=demands)) == (
        "evidence of snp, tdx; of one maker at most 2 seats, and never enough for a key"
    )
    assert _makers({"1": "tdx", "2": "snp", "10": "sgx"}) == "AMD: 1, Intel: 2"


def test_a_node_that_tells_of_other_vendors_than_are_proved_is_not_believed() -> None:
    proved = {
        "verifyingKey": "0x",
        "height": 7,
        "time": 0,
        "members": {"1": "0xab"},
        "vendors": {"1": "tdx"},
    }
    for told, words in (({"vendor": "tdx"}, "the members below"), ({"vendor": "snp"}, "OTHER")):
        fields = _proved_fields(proved, {1: {"identityKey": "0xab"} | told})
        assert fields["proved"].startswith(words)
        assert fields["makers"] == "Intel: 1"
    # one of an older version tells nothing of it
    assert _proved_fields(proved, {1: {"identityKey": "0xab"}})["proved"].startswith("the members")
