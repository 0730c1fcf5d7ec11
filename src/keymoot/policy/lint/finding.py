"""One thing that an attacker would look for in a policy."""

from dataclasses import dataclass

from keymoot.base.strict_json import Json


@dataclass(frozen=True, slots=True)
class Finding:
    """One warning.

    Attributes:
        code: A stable word for programs, such as ANY_AMOUNT.
        rule: The rule that it speaks of; empty for the whole policy.
        message: For people: what can happen, and what to write.
    """

    code: str
    rule: str
    message: str

    @property
    def line(self) -> str:
        where = f'rule "{self.rule}" ' if self.rule else ""
        return f"{self.code}: {where}{self.message}"

    def to_json(self) -> dict[str, Json]:
        shown: dict[str, Json] = {"code": self.code, "message": self.message}
        return shown | ({"rule": self.rule} if self.rule else {})
