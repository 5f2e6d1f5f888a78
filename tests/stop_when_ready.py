"""`scripts/annotate.py` until its page is there, then Ctrl-C; its exit code 3 (items left) counts as 0."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ANNOTATE = Path(__file__).parents[1] / "scripts" / "annotate.py"


def main() -> int:
    command = [sys.executable, "-u", str(ANNOTATE), *sys.argv[1:], "port=0"]
    # A shell that runs us in the background would make Python ignore Ctrl-C.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=_heed_ctrl_c)
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        if "http://" in line:
            os.kill(process.pid, signal.SIGINT)
    return {3: 0}.get(process.wait(60), 1)


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
