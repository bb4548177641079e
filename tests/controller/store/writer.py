"""Writes into a store without end, and says each write that was acknowledged. To be killed."""

import sys
from pathlib import Path

from controller.store.store import Store
from tests.controller.store.kit import KINDS, THING, ref, thing


def main() -> None:
    store = Store(Path(sys.argv[1]), KINDS)
    round_ = sys.argv[2]
    number = 0
    while True:
        number += 1
        name = f"r{round_}-{number}"
        store.create(THING, thing(name, spec={"filler": "x" * 2000}))
        print("created", name, flush=True)
        store.replace_status(ref(name), {"number": number})
        print("status", name, flush=True)
        if number > 3:
            gone = f"r{round_}-{number - 3}"
            with store.transaction():
                store.edit(ref("pair-a"), lambda live, n=number: live | {"spec": n})
                store.edit(ref("pair-b"), lambda live, n=number: live | {"spec": n})
                store.delete(ref(gone))
            print("deleted", gone, flush=True)


if __name__ == "__main__":
    main()
