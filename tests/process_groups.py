"""Runs a command whose children (torchrun's processes) must not outlive the test."""

import os
import signal
import subprocess


def run_group(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, offline, in a process group of its own, which is killed if it takes too long.

    Args:
        environment: variables beside those of this process.
    """
    pipe = subprocess.PIPE
    given = os.environ | {"HF_HUB_OFFLINE": "1"} | environment
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env=given, start_new_session=True
    ) as process:
        try:
            out, errors = process.communicate(timeout=250)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, errors)
