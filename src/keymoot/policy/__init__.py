"""What may be signed: intents decoded from bytes, held against an owner's document."""
