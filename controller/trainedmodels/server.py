"""One server of many models, by the repository extension of the V2 protocol.

A failure is a text: what the server said, as far as it said something. Nothing is tried again here.
"""

import asyncio
import json

import aiohttp

LOOK_S = 10.0  # for a question that needs no work
LONGEST_WORDS = 500


class Server:
    """`address` is an origin; `load_s`: how long a model may take."""

    def __init__(self, session: aiohttp.ClientSession, address: str, load_s: float) -> None:
        self._session = session
        self._address = address
        self._load_s = load_s

    async def is_ready(self, model: str) -> bool:
        try:
            async with (
                asyncio.timeout(LOOK_S),
                self._session.get(f"{self._address}/v2/models/{model}/ready") as answer,
            ):
                return answer.status == 200
        except (TimeoutError, OSError, aiohttp.ClientError):
            return False

    async def load(self, model: str) -> str | None:
        return await self._post(model, "load")

    async def unload(self, model: str) -> str | None:
        """One that is not loaded is no failure."""
        return await self._post(model, "unload", fine=404)

    async def _post(self, model: str, verb: str, fine: int = 200) -> str | None:
        url = f"{self._address}/v2/repository/models/{model}/{verb}"
        try:
            async with asyncio.timeout(self._load_s), self._session.post(url, json={}) as answer:
                if 200 <= answer.status < 300 or answer.status == fine:
                    return None
                return f"{_words(await answer.text(errors='replace'))} ({answer.status})"
        except TimeoutError:
            return f"no answer within {self._load_s:g} s"
        except (OSError, aiohttp.ClientError) as error:
            return str(error) or type(error).__name__


def _words(text: str) -> str:
    """Of an error's body: MLServer and Triton say `error`, FastAPI `detail`."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, dict):
        said = found.get("error") or found.get("detail")
        text = said if isinstance(said, str) else text
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}..."
