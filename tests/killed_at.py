"""Runs a script and kills it (SIGKILL) right before its nth change of a file's place or opening for writing.

python tests/killed_at.py N FOLDER SCRIPT WORDS...   (only files under FOLDER count; N = 0: never)

At its end a script that was not killed leaves the number of such operations in FOLDER.operations.
"""

import os
import runpy
import signal
import sys
from pathlib import Path

count = 0


def main() -> None:
    number, folder, script = int(sys.argv[1]), sys.argv[2], sys.argv[3]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        global count
        if event not in ("open", "os.rename", "os.remove", "os.truncate") or not arguments:
            return
        if not str(arguments[0]).startswith(folder):
            return
        if event == "open" and not (
            isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        ):
            return
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    sys.argv = sys.argv[3:]
    sys.path[0] = str(Path(script).parent)  # as `python SCRIPT` has it
    try:
        runpy.run_path(script, run_name="__main__")
    finally:
        Path(f"{folder}.operations").write_text(str(count))


if __name__ == "__main__":
    main()
