"""Bodies of messages, taken apart: whoever changes one field says the others again."""

from dataclasses import fields
from typing import Any

from keymoot.base.record import Record


def fields_of(record: Record) -> tuple[Any, ...]:
    """Give a record's values, in the order of its fields."""
    return tuple(getattr(record, field.name) for field in fields(record))  # type: ignore[arg-type]
