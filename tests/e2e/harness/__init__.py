"""What the end-to-end tests stand on: the binary, a private Dovecot, a scripted backend, a TLS client."""
