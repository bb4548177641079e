"""HTTP/1.1 bytes <-> messages, for both sides, without sockets.

llhttp (through httptools) reads heads; where a message ends is decided here, because that is a
security boundary: what RFC 9112 says to refuse is refused, and bodies are bounded. Feeding any
bytes, in any pieces, raises nothing but `Refused`, and gives the same verdict whole or byte by
byte.
"""
