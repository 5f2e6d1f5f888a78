"""One voice for several processes: the main one reads, decides and reports, the others follow.

Launchers (torchrun, accelerate) tell each process its number in the environment, so that nothing here needs
torch while there is one process.
"""

import importlib.util
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from selfinstruct.errors import StoppedEarly, UserError

T = TypeVar("T")

SECONDS_FOR_MAIN = 20
SECONDS_AFTER_A_STOP = 3  # the launcher itself was told to end, and may have little time left
PARENT = "SELFINSTRUCT_PARENT"  # the environment variable with the process that ours must not outlive


def end_with_parent() -> None:
    """Have this process stop, as by SIGTERM, when the one that PARENT names has ended, also by kill -9.

    A launcher may stand between the two. Linux only: elsewhere the process goes on to its own end.
    """
    parent = os.environ.get(PARENT)
    if parent is None or not hasattr(os, "pidfd_open"):
        return
    try:
        handle = os.pidfd_open(int(parent))
    except ProcessLookupError:
        signal.raise_signal(signal.SIGTERM)
    except OSError:
        return  # an old kernel
    else:
        threading.Thread(target=_stop_after, args=(handle,), daemon=True).start()


def _stop_after(handle: int) -> None:
    select.select([handle], [], [])  # readable once that process has ended
    os.kill(os.getpid(), signal.SIGTERM)


def count() -> int:
    """Number of processes of this run."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def index() -> int:
    """This process's number, from 0, over all machines."""
    return int(os.environ.get("RANK", "0"))


def local_index() -> int:
    """This process's number on its machine: the GPU it takes where each takes one."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def is_main() -> bool:
    """Whether this process is the one that writes and reports."""
    return index() == 0


def refuse_unknown_sharding() -> None:
    """Refuse what `accelerate launch` may ask for and this training loop would do wrongly.

    Raises:
        UserError: Megatron-LM, FSDP of the first version, DeepSpeed other than ZeRO-3 or not installed.
    """
    asked = ("DEEPSPEED", "MEGATRON_LM", "FSDP")
    found = [name for name in asked if _environment(f"ACCELERATE_USE_{name}") == "true"]
    if not found or (found == ["FSDP"] and _environment("FSDP_VERSION") == "2"):
        return
    if found == ["DEEPSPEED"] and _asks_for_plain_zero3():
        if importlib.util.find_spec("deepspeed"):
            return
        advice = "pip install 'selfinstruct[deepspeed]', or use configs/accelerate/fsdp2.yaml"
        raise UserError(f"the launcher asks for DeepSpeed, which is not installed; {advice}")
    kinds = {"FSDP": "FSDP version 1", "DEEPSPEED": "DeepSpeed otherwise than configs/accelerate/zero3.yaml"}
    advice = "use --config_file configs/accelerate/fsdp2.yaml, which shards weights and optimizer too"
    kind = kinds.get(found[0], found[0])
    raise UserError(f"the launcher asks for {kind}, which finetune/train.py does not support; {advice}")


def _asks_for_plain_zero3() -> bool:
    others = ("OFFLOAD_OPTIMIZER_DEVICE", "OFFLOAD_PARAM_DEVICE", "CONFIG_FILE")
    is_plain = all(_environment(f"ACCELERATE_DEEPSPEED_{name}") in ("", "none") for name in others)
    return is_plain and _environment("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3"


def _environment(name: str) -> str:
    return os.environ.get(name, "").lower()


def refuse_missing_processes() -> None:
    """Refuse to train alone where `accelerate launch` was asked for several processes and started one.

    On CPUs it starts one whatever --num_processes says; that more were asked for shows in the address that it
    gives them to meet at.

    Raises:
        UserError: that is so.
    """
    given = os.environ
    if "ACCELERATE_MIXED_PRECISION" in given and "MASTER_ADDR" in given and "WORLD_SIZE" not in given:
        instead = "ACCELERATE_USE_CPU=true torchrun --standalone --nproc_per_node 2 finetune/train.py ..."
        reason = "accelerate launch was asked for several processes and started one, as it does on CPUs"
        raise UserError(f"{reason}; start them by torchrun ({instead}), or ask for one (--num_processes 1)")


def decide(make: Callable[[], T]) -> T:
    """The main process's `make()`, in every process; where it fails, all of them end.

    Raises:
        Exception: in the main process, what `make` raised; in the others UserError.
    """
    if count() == 1:
        return make()
    from accelerate.utils import broadcast_object_list

    _join()
    outcome: list[Any] = ["failed", None]
    error: Exception | None = None
    if is_main():
        try:
            outcome = ["made", make()]
        except Exception as failure:
            error = failure
    verdict, value = broadcast_object_list(outcome)
    if error is not None:
        raise error
    if verdict == "failed":
        raise UserError("the main process stopped; its message says why")
    return value


def _join() -> None:
    import torch
    import torch.distributed.nn  # later, its functions' defaults would hold on to the group for good
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    # Without a GPU accelerate joins processes only when told `cpu`; else each would train alone, unnoticed.
    use_cpu = parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available()
    joined = PartialState(cpu=use_cpu).num_processes
    if joined != count():
        raise RuntimeError(
            f"{count()} processes were started, but {joined} joined; see accelerate's settings"
        )


def _leave_the_group() -> None:
    # gloo's threads let go of the last tensors a moment after a broadcast is over; one that does so while
    # Python shuts down aborts the process. Destroying the group waits for these threads. No barrier before
    # it: one would time out (10 minutes with NCCL) while the main process still writes a large model.
    torch = sys.modules.get("torch")
    if torch and torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


@contextmanager
def main_speaks_first() -> Iterator[None]:
    """Around a whole run: of an error that all processes meet, only the main one's message is seen.

    A follower that ended at once would make the launcher stop the main process before it has spoken; it
    waits to be stopped itself, and reports only if nobody did.
    """
    if is_main():
        try:
            yield
        except StoppedEarly:  # all of them have stopped at the same place
            _leave_the_group()
            raise
        _leave_the_group()
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the launcher's way to say that the main one has ended
    try:
        yield
        _leave_the_group()
    except UserError:
        time.sleep(SECONDS_FOR_MAIN)
        raise
    except StoppedEarly:
        _leave_the_group()
        time.sleep(SECONDS_AFTER_A_STOP)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(3)
    except Exception:
        traceback.print_exc()  # an error of this process alone: no run log holds it
        raise
