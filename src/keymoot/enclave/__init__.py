"""The replica, and the only room that keeps secrets: identity, state secret, shares."""
