"""Inference requests and answers whatever their wire form: one neutral model, codecs around it.

`model` holds the words (Inference, Tensor), `datatypes` what each datatype is in bytes and in JSON,
`bounds` how much may be converted; `v1`, `v2` and `grpc` read and write the forms, `convert` finds
the one that a body has; `crossing` leads a request over and its answer back, `chain` makes a
request of an answer, `gathered` one message of many. Pure: bytes in, bytes out. `messages` alone
imports protobuf, and only who meets gRPC imports `messages`.
"""
