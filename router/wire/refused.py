"""A message that is not taken."""


class Refused(Exception):
    """Bytes that break the protocol or a limit; the connection is of no further use.

    `status` is what a client is told (a predictor's fault becomes 502 instead), `cause` says what
    was wrong.
    """

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status
        self.cause = cause
