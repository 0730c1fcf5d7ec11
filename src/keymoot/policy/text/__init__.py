"""Messages for people, signed where a rule names how they begin."""
