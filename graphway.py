"""The Python SDK under the name of the distribution: `from graphway import Client`."""

from controller.sdk import *  # noqa: F403
from controller.sdk import __all__  # noqa: F401 what a star exports, strict checkers know by name
