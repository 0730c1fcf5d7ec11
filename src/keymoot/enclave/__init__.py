"""The only room that keeps secrets: identity, consensus key, state secret, custody."""
