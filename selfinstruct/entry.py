"""What every command shares: compose the config with Hydra, run, and end with the documented exit code.

0 done; 2 wrong use or bad input; 3 stopped on purpose before the end, resumable; 1 anything else.
"""

import hashlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from selfinstruct import processes
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.llm.model_folder import looks_like_a_path
from selfinstruct.settings import REPOSITORY, did_you_mean, from_dict

CONFIGS = REPOSITORY / "configs"

T = TypeVar("T")

# `${repo:seeds/x.jsonl}` in a config file: a path of the repository, wherever the command is called from.
OmegaConf.register_new_resolver("repo", lambda path: str(REPOSITORY / path), replace=True)
# `${absolute:...}`: a path as it is meant from the folder the command is called in.
OmegaConf.register_new_resolver("absolute", lambda path: str(Path(path).absolute()), replace=True)


def _model(name: str) -> str:
    folder = Path(name).expanduser()
    return str(folder.absolute()) if folder.is_dir() or looks_like_a_path(name) else name


# `${model:...}`: the same for a model's folder; a hub id stays as it is.
OmegaConf.register_new_resolver("model", _model, replace=True)


def run_command(config_name: str, config_class: type[T], run: Callable[[T], None]) -> NoReturn:
    """Compose `configs/<config_name>.yaml` with the command line, make `config_class` of it and run."""
    if {"--help", "-h"} & set(sys.argv[1:]):
        _print_help(config_name)
        sys.exit(0)
    # Before torch is imported: waiting threads would burn the cores that others (and the work itself) need.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    sys.argv[1:] = [_experiment(word, config_name) for word in sys.argv[1:]]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill stops as Ctrl-C does
    processes.end_with_parent()

    def task(config: DictConfig) -> None:
        try:
            run(from_dict(config_class, _plain(config)))
        except Exception as error:
            _exit(error)

    # With full errors Hydra raises instead of printing and exiting with 1 itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        hydra.main(config_path=str(CONFIGS), config_name=config_name, version_base="1.3")(task)()
    except (HydraException, OmegaConfBaseException) as error:
        _exit(error)
    except ValueError as error:  # Hydra's, of GROUP=null; what `run` raises never comes this far
        _exit(_without_option(error, sys.argv[1:]))
    except KeyboardInterrupt:
        if processes.PARENT in os.environ:
            sys.exit(3)  # the experiment that this is a step of says it
        _exit(StoppedEarly("interrupted; start again with the same words to continue"))
    sys.exit(0)


def composed(config_name: str, config_class: type[T], words: list[str]) -> T:
    """The config of a command with other words than those of the command line; inside `run_command` only.

    Raises:
        UserError: what the command itself would say of these words.
    """
    words = [_experiment(word, config_name) for word in words]
    try:
        config = hydra.compose(config_name, words)
        values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_reworded(error)) from error
    except ValueError as error:
        raise _without_option(error, words) from error
    assert isinstance(values, dict)
    return from_dict(config_class, {str(key): value for key, value in values.items()})


def _without_option(error: ValueError, words: list[str]) -> UserError:
    """Hydra's message of GROUP=null as ours."""
    words = [word for word in words if word.endswith(("=null", "=")) and _is_group(word)]
    return UserError(f"{' '.join(words)}: {error}; give each group one of the options that --help lists")


def _print_help(config_name: str) -> None:
    try:
        print(_help(config_name), flush=True)
    except BrokenPipeError:  # `--help | head`: the reader has what it wanted
        _drop_what_is_printed()


def _drop_what_is_printed() -> None:
    # What is left to be written at the end of the process meets no closed pipe either.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help(config_name: str) -> str:
    """The primary config with its comments, and what its groups offer (Hydra's own: --hydra-help)."""
    text = (CONFIGS / f"{config_name}.yaml").read_text(encoding="utf-8")
    groups = []
    config = OmegaConf.create(text)
    assert isinstance(config, DictConfig)
    for entry in config.get("defaults", []):
        for key in entry if isinstance(entry, DictConfig) else ():
            group = str(key).removeprefix("optional ")
            folder = CONFIGS / group.partition("@")[0]
            options = sorted(path.stem for path in folder.glob("*.yaml"))
            groups.append(f"  {group.removesuffix(f'/{config_name}')}: {', '.join(options)}")
    return "\n".join(
        [
            f"python {sys.argv[0]} KEY=VALUE ...   (--cfg job shows the settings composed, nothing is run)",
            "",
            f"Keys, with their defaults (configs/{config_name}.yaml):",
            "",
            text,
            "Groups (GROUP=OPTION; GROUP.KEY=VALUE changes one setting):",
            *groups,
            "",
            "Exit codes: 0 done; 2 wrong use or bad input; 3 stopped early, resumable; 1 anything else.",
        ]
    )


def _experiment(word: str, config_name: str) -> str:
    """`experiment=NAME` picks `configs/experiment/<command>/NAME.yaml`, each command its own."""
    key, equals, name = word.partition("=")
    return f"experiment/{config_name}={name}" if equals and key == "experiment" else word


def _plain(config: DictConfig) -> dict[str, Any]:
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    hydra_config = HydraConfig.get()
    folder = next((key for key in ("run_dir", "target") if values.get(key)), None)
    if hydra_config.mode == RunMode.MULTIRUN and folder is not None:
        name = hydra_config.job.override_dirname.replace("/", "_")
        values[folder] = str(Path(values[folder]) / (_short(name) or str(hydra_config.job.num)))
    return {str(key): value for key, value in values.items()}


def _short(name: str) -> str:
    """A file name that every disk takes: a long one is cut, and told from its like by a digest."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return name if len(name.encode()) <= 255 else f"{name.encode()[:240].decode(errors='ignore')}_{digest}"


def _reworded(error: HydraException | OmegaConfBaseException) -> str:
    """Hydra's message as ours: its own speaks of structs and search paths, and advises `+key=value`."""
    match error:
        case MissingConfigException(missing_cfg_file=str(name), options=options) if options:
            group, _, option = name.rpartition("/")
            near = did_you_mean(option, options)
            return f"{_as_typed(group)}={option}: no such option; choose from {', '.join(options)}{near}"
        case OverrideParseException():
            reason = str(error).splitlines()
            reason = [line for line in reason if not line.startswith(("See ", "Error parsing"))]
            advice = "write KEY=VALUE, and quote a value with special characters ('KEY=\"VALUE\"')"
            return f"{error.override}: cannot be read as a setting ({'; '.join(reason)}); {advice}"
        case MissingMandatoryValue():
            return f"{error.full_key} is missing; give it as {error.full_key}=VALUE (--help says what it is)"
    match error.__cause__:
        case (ConfigKeyError(full_key=str(key)) | ConfigAttributeError(full_key=str(key))) as cause:
            # The keys of the group that the mistyped one would be in.
            beside = cause.parent_node.keys() if isinstance(cause.parent_node, DictConfig) else []
            near = did_you_mean(key.rpartition(".")[2], [str(name) for name in beside if name != "hydra"])
            return f"{_as_typed(key)}: no such setting; --help lists those there are{near}"
    if isinstance(error, OmegaConfBaseException) and error.full_key:
        return f"{error.full_key}: {str(error).splitlines()[0]}; mend it, or give {error.full_key}=VALUE"
    causes = [str(error), str(error.__cause__ or "")]
    return "\n".join(text for text in dict.fromkeys(causes) if text)


def _is_group(word: str) -> bool:
    return (CONFIGS / word.partition("=")[0]).is_dir()


def _as_typed(key: str) -> str:
    return "experiment" if key.startswith("experiment/") else key  # see `_experiment`


def _exit(error: Exception) -> NoReturn:
    match error:
        case UserError():
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        case StoppedEarly():
            print(f"stopped: {error}", file=sys.stderr)
            sys.exit(3)
        case HydraException() | OmegaConfBaseException():
            print(f"error: {_reworded(error)}", file=sys.stderr)
            sys.exit(2)
        case BrokenPipeError():  # whoever read what is printed wants no more of it, as with `| head`
            _drop_what_is_printed()
            sys.exit(1)
        case _:
            note = "the traceback is in the run folder's run.log"
            traceback.print_exception(error, file=sys.stderr)
            print(f"error: {type(error).__name__}: {error} ({note})", file=sys.stderr)
            sys.exit(1)
