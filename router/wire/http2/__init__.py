"""HTTP/2 (RFC 9113) as far as gRPC needs it, for both sides, without sockets.

`hpack` reads and writes header blocks, `frames` the bytes around them, `connection` keeps streams,
settings and windows. A peer is a stranger: whatever it can send without end is counted (`calm`),
and everything that it can make us keep has a limit. There is no push, no upgrade from HTTP/1.1, and
priorities are ignored. Why this is ours: docs/decisions/2026-11-21-grpc-transport.md.
"""
