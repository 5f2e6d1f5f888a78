"""The table of bad input: what is changed before a call, its words, and what its message must say."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark_folders import task
from good_calls import PREDICTIONS, SEEDS, TRAINING, lines

from selfinstruct.llm.base import TINY_MODEL


@dataclass(frozen=True)
class Case:
    """A bad call: what is changed before it, its words, and what its message must say."""

    kind: str
    command: str
    words: str  # split at blanks
    parts: tuple[str, ...]
    change: Callable[[Path], object] | None = None
    limit: int | None = None  # bytes a file may grow to: how an almost full disk looks to a process
    busy: str | None = None  # a run folder in which another process works


def write(name: str, content: str | bytes) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def cut(name: str) -> Callable[[Path], object]:
    """The file loses its second half, as after a copy that broke off."""

    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def copy_of_model(name: str, cut_off: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        shutil.copytree(TINY_MODEL, folder / name)
        cut(f"{name}/{cut_off}")(folder)

    return change


def seeds(kind: str, content: str | bytes, *parts: str) -> Case:
    return Case(f"seeds {kind}", "generate", "", ("seeds.jsonl", *parts), write("seeds.jsonl", content))


def training(kind: str, content: str | bytes, *parts: str, name: str = "train.jsonl") -> Case:
    return Case(f"training data {kind}", "train", f"data={name}", (name, *parts), write(name, content))


def predictions(kind: str, content: str | bytes, *parts: str) -> Case:
    change = write("predictions.jsonl", content)
    return Case(f"predictions {kind}", "eval_superni", "", ("predictions.jsonl", *parts), change)


def benchmark(kind: str, name: str, content: str, *parts: str) -> Case:
    change = write(f"benchmark/{name}", content)
    return Case(f"benchmark {kind}", "eval_superni", "", (f"benchmark/{name}", *parts), change)


def setting(name: str, words: str, *parts: str) -> Case:
    return Case(f"{name} {words}", name, words, parts)


MODEL_CALL = "llm=local predictions=null llm.model="
TASK = json.dumps(task("t1"), indent=1)

SETTINGS = {  # command -> the words of a call -> what its message must say
    "generate": {
        "run_dirs=x": "lists those there are (did you mean run_dir?)",
        "llm.bakend=x": "llm.bakend: no such setting; --help lists those there are (did you mean",
        "zzz=x": "zzz: no such setting; --help lists those there are\n",
        "llm=opnai": "openai, replay, tiny, vllm (did you mean openai?)",
        "seed=-1": "seed: -1 must be 0 or more",
        "llm=gpt": "llm=gpt: no such option; choose from local",
        "run_dir": ("run_dir: cannot be read as a setting", "write KEY=VALUE"),
        "num_instructions=-1": "num_instructions: -1 must be at least 1",
        "num_instructions=many": "num_instructions: 'many' must be a whole number",
        "novelty.threshold=7": "novelty.threshold: 7.0 must be above 0 and at most 1",
        "stages=[all]": "stages: ['all']; choose from instructions, classification",
        "filters.min_words=few": "filters.min_words: is 'few'; it must be a number",
        "queries.instances.max_tokens=-5": "queries.instances.max_tokens: -5 must be at least 1",
        "llm=tiny llm.batch_size=0": "llm.batch_size: 0 is not a positive whole number",
        "filters=null": ("filters=null: ", "give each group one of the options"),
    },
    "eval_superni": {
        "intervals.seed=-3": "intervals.seed: -3 must be 0 or more",
        "superni_dir=${no}": ("superni_dir: Interpolation key 'no' not found", "mend it"),
        "prompt_style=best": "prompt_style: 'best' is unknown; choose from",
        "max_instances_per_task=0": "max_instances_per_task: 0 must be at least 1",
        "model=x": "predictions and model are both given",
    },
    "train": {
        "method.rank=3": "method.rank: no such setting; --help",
        "data=???": "data is missing; give it as data=VALUE",
        "data=[]": "data=[]: must be one file, folder or hub id at least",
        "batch_size=-8": "batch_size=-8: must be at least 1",
        "learning_rate=nan": "learning_rate=nan: must be above 0",
        "weight_decay=-1": "weight_decay=-1.0: must be at least 0",
    },
    "reproduce": {
        "experiment=no": "experiment=no: no such option; choose from",
        "data_step=no": "data_step: there is no step 'no'; choose from generate",
        "+steps.train.comand=x": "steps.train.comand: no such setting; known here: command",
    },
    "check_seeds": {
        "max_similarity=50": "max_similarity is 50.0; it must be a ROUGE-L, 0 to 1",
    },
}

INPUT_CASES = [
    # Seed tasks
    Case("seeds missing", "generate", "seed_tasks=no.jsonl", ("no.jsonl: cannot be read", "check the path")),
    Case("seeds a folder", "generate", "seed_tasks=benchmark", ("benchmark: cannot be read (Is a dir",)),
    seeds("empty", "", "holds no seed task; give at least one line"),
    seeds("not JSON", lines(SEEDS).replace("{", "", 1), ":1: not valid JSON", "one JSON object"),
    seeds("torn last line", lines(SEEDS)[:-30], ":3: not valid JSON", "one JSON object"),
    seeds(
        "not UTF-8", lines(SEEDS).replace("even", "ev\xebn").encode("latin-1"), ":2: not valid JSON", "UTF-8"
    ),
    seeds("without a field", lines(SEEDS, instances=...), ':2: "instances" is missing', "needs instances"),
    seeds(
        "with a wrong type", lines(SEEDS, is_classification="no"), ':2: "is_classification" is a str', "bool"
    ),
    seeds("without instances", lines(SEEDS, instances=[]), ':2: "instances" is empty', "at least one"),
    seeds("wrong instance", lines(SEEDS, instances=[{"input": ""}]), ':2: "instances"[0] must be', "output"),
    seeds(
        "with an id twice", lines(SEEDS, id="seed_0"), ":2: \"id\": 'seed_0' is also in line 1", "of its own"
    ),
    seeds("with half a character", lines(SEEDS).replace("seven", "\\ud800"), ":2: instruction: holds half"),
    seeds("nested too deeply", lines(SEEDS) + "[" * 100_000, ":4: not valid JSON (maximum recursion"),
    Case("seeds checked, missing", "check_seeds", "seeds=no.jsonl", ("no.jsonl: cannot be read", "check")),
    Case(
        "seeds checked, several problems",
        "check_seeds",
        "",
        (
            "seeds.jsonl: 2 problems to mend",
            "seeds.jsonl:2: id: ",
            "must be unique",
            "seeds.jsonl:3: ",
            "JSON",
        ),
        write("seeds.jsonl", lines(SEEDS, id="seed_0")[:-30]),
    ),
    *(
        setting(command, words, *([message] if isinstance(message, str) else message))
        for command, messages in SETTINGS.items()
        for words, message in messages.items()
    ),
    # Training data
    Case("training data missing", "train", "data=no.jsonl", ("no.jsonl: cannot be read", "check the path")),
    Case("training data a folder", "train", "data=benchmark", ("benchmark is a folder without splits/",)),
    Case("held-out data missing", "train", "eval_data=no.jsonl", ("no.jsonl: cannot be read", "check")),
    training("empty", "", "holds no example; a row needs"),
    training("not JSON", lines(TRAINING).replace("{", "", 1), ":1: not valid JSON", "one JSON object"),
    training("torn last line", lines(TRAINING)[:-9], ":4: not valid JSON", "one JSON object"),
    training("without a field", lines(TRAINING, completion=...), ':2: "completion" is missing', "needs"),
    training("with a wrong type", lines(TRAINING, prompt=3), ':2: "prompt" is a int; it must be text'),
    training(
        "list cut off", '[{"prompt": "a", "comple', ":1: not valid JSON", "list of objects", name="data.json"
    ),
    Case(
        "training data Parquet cut off",
        "train",
        "data=train.parquet",
        ("train.parquet: cannot be read as Parquet", "copy it again"),
        cut("train.parquet"),
    ),
    setting(
        "train", "data=[{path:train.jsonl,sample:9}]", "train.jsonl: sample=9 is more than its 4 examples"
    ),
    # Predictions and benchmarks
    Case("predictions missing", "eval_superni", "predictions=no", ("no: cannot be read", "check the path")),
    predictions("empty", "", "holds no prediction; each line must be"),
    predictions("torn last line", lines(PREDICTIONS)[:-9], ":2: not valid JSON", "one JSON object"),
    predictions("without a field", lines(PREDICTIONS, prediction=...), ":2: prediction: missing; each line"),
    predictions(
        "with a wrong type", lines(PREDICTIONS, prediction=None), ":2: prediction: null instead of text"
    ),
    predictions(
        "with an id twice", lines(PREDICTIONS, id=PREDICTIONS[0]["id"]), ":2: id: ", "is also in line 1"
    ),
    predictions(
        "of other tasks", '{"id": "x", "prediction": "y"}\n', "none of its 1 ids is in", "superni_dir"
    ),
    setting(
        "eval_superni", "superni_dir=no", "no/splits/default/test_tasks.txt: cannot be read", "folder holds"
    ),
    benchmark("task cut off", "tasks/t1.json", TASK[: len(TASK) // 2], ":12: not valid JSON"),
    benchmark("task without output", "tasks/t1.json", TASK.replace("output", "out"), "Instances[0].output"),
    benchmark(
        "with a task twice", "splits/default/test_tasks.txt", "t1\nt1\n", ":2: names t1 again", "remove"
    ),
    # Models and recordings
    Case("model missing", "generate", "llm=local llm.model=./no", ("llm.model=./no: no such folder; check",)),
    Case("model not there to tune", "train", "model=./no", ("model=./no: no such folder; give",)),
    Case(
        "model cut off",
        "eval_superni",
        f"{MODEL_CALL}model",
        ("model/model.safetensors: is cut off", "copy it again"),
        copy_of_model("model", "model.safetensors"),
    ),
    Case(
        "model to tune cut off",
        "train",
        "model=model",
        ("model/model.safetensors: is cut off", "copy it again"),
        copy_of_model("model", "model.safetensors"),
    ),
    Case("adapter missing", "generate", "llm=tiny llm.adapter=./no", ("llm.adapter=./no: no such folder",)),
    Case(
        "adapter cut off",
        "eval_superni",
        "llm=tiny predictions=null adapter=trained/adapter",
        ("adapter_model.safetensors: is cut off", "copy it again"),
        cut("trained/adapter/adapter_model.safetensors"),
    ),
    setting("generate", "llm.responses=no", "llm.responses=no: no such file or folder; give a run folder"),
    Case(
        "recording with a broken line",
        "generate",
        "",
        ("recording/response_log.jsonl:2: not a recorded answer", "give a run folder"),
        write(
            "recording/response_log.jsonl",
            '{"key": "a", "stage": "x"}\n{"key": "b", "stage": "instructions"}',
        ),
    ),
]
