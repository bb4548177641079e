"""`graphway version`."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> None:
    """Print the version."""
    try:
        print(f"graphway {installed('graphway')}")
    except PackageNotFoundError:  # run from a checkout
        print("graphway (not installed)")
