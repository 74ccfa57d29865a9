"""Lives of datasets, as the official client tells them: live.py VERSION FOLDER [LIFE…]

Each life is a function of the folder `lives` that goes through named steps on datasets of its own, so all of them run at
once: most of their time is waiting, since the client looks every two seconds whether an upload is complete. Then come
those that change who asks, one after the other.
"""

import contextlib
import pathlib
import sys
import threading
import time
import traceback

import redivis

from lives import datasets, exports, metadata, others, queries, reading, story, uploads

version, folder, *only = sys.argv[1:]
assert redivis.__version__ == version, redivis.__version__
failures = []


def live(life):
    def step(what):
        return told(f"{life.__module__}.{life.__name__}: {what}")

    try:
        own = pathlib.Path(folder) / f"{life.__module__}.{life.__name__}"
        own.mkdir()
        life(step, own)
    except Exception as error:
        failures.append(error)


@contextlib.contextmanager
def told(what):
    start = time.monotonic()
    try:
        yield
    except Exception as error:
        error.add_note(f"In the step {what}")
        raise
    print(f"{what} ({time.monotonic() - start:.1f} s)", flush=True)


def chosen(lives):
    return [life for life in lives if not only or f"{life.__module__}.{life.__name__}".removeprefix("lives.") in only]


together = [life for module in (story, uploads, datasets, metadata, reading, queries, exports) for life in module.LIVES]
threads = [threading.Thread(target=live, args=(life,)) for life in chosen(together)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for life in chosen(others.LIVES):
    live(life)

for failure in failures:
    traceback.print_exception(failure)
sys.exit(1 if failures else 0)
