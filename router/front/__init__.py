"""Where requests come in: sockets <-> messages, without policy."""
