"""gRPC over HTTP/2: statuses, message frames, timeouts and metadata, for both sides.

Bytes and values only: which streams carry them is the business of front and upstream. Messages
stay bytes; of their fields only the few that routing needs are read here, without protobuf.
"""
