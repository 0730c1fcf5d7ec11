"""The client in environments that are made anew, beside what agents are built with."""
