"""Inference requests and answers whatever their wire form: one neutral model, codecs around it.

`model` holds the words (Inference, Tensor), `datatypes` what each datatype is in bytes and in JSON;
`v1`, `v2`, `binary` and `grpc` read and write the forms; `convert` leads from one to another. Pure:
bytes in, bytes out. `messages` alone imports protobuf, and only who meets gRPC imports `messages`.
"""
