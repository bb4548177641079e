"""A body as bytes, and as JSON only once somebody asks."""


class Document:
    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body
