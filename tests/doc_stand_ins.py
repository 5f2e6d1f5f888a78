"""What stands in for what a reader has and a test has not: models, GPUs, servers, people, hours.

Each entry says why. A command that none of them concerns is run as it stands on the page.
"""

import re
import shlex
from dataclasses import dataclass

from doc_commands import Command, script_lines
from test_experiment import SMALL

MODEL = "selfinstruct/llm/tiny/model"
URL = "http://127.0.0.1:9/v1"  # of the server that a test starts; nothing listens at this one


@dataclass(frozen=True)
class StandIn:
    """Text of a command (a regular expression) and what is put in its place."""

    pattern: str
    text: str
    reason: str


# Names that a reader replaces by his own: also before a command is composed.
NAMES = (
    StandIn(r"(?<=[ =])(PATH_OR_HUB_ID|HUB_ID|MODEL)\b", MODEL, "no hub: a model folder that is here"),
    StandIn(r"https?://(?:HOST|localhost)(?::\d+)?/v1", "{url}", "no such server: one of the tests"),
    StandIn(r"experiment=NAME\b", "experiment=demo", "any of those listed beside it"),
    StandIn(r"filters=<language>", "filters=german", "the language that is shipped"),
    StandIn(r"seeds=\.\.\.", "seeds=seeds/german/seed_tasks.jsonl", "the seeds that are shipped"),
    StandIn(r"(?<=seeds=)FILE\b", "seeds/seed_tasks.jsonl", "the seeds that are shipped"),
    StandIn(r"\bFIRST_(MACHINE|NODE)\b", "127.0.0.1", "one machine"),
)
# Whole commands that are only composed, and what checks more of them.
COMPOSED_ONLY = (
    StandIn(r"filled=", "", "people fill forms in; tests/test_rating_forms.py does it for them"),
    StandIn(
        r"^(make|pip|ray|git|rsync|ssh|curl|hf|squeue|scancel|lm_eval)\b", "", "would change the machine"
    ),
    StandIn(r"pre-commit install", "", "would change the clone"),
    StandIn(r"-m selfinstruct\.llm\.tiny", "", "trains for half an hour; tests/test_tiny_model.py"),
    StandIn(r"scripts/bench/", "", "measures for minutes to hours; its options are compared with the script"),
    StandIn(r"\.\.\.(?:\s|$)", "", "a part of a command; the text around it says what to add"),
    StandIn(r"--multirun", "", "several trainings; tests/test_finetune_experiments.py runs two"),
)
# Pages whose commands are only composed.
GENERATED = {"docs/REPRODUCTION.md": "made by scripts/make_report.py from commands that `make demo` has run"}
RUN = (
    StandIn(
        r"--config_file configs/accelerate/\w+\.yaml(?: --(?:num|machine|main)_\w+ \S+)*",
        "--config_file configs/accelerate/cpu.yaml",
        "no GPU; tests/test_finetune_cluster.py reads the other launch files",
    ),
    StandIn(r"accelerate launch (?!--)", "accelerate launch --cpu ", "no GPU"),
    StandIn(r"(?<=scripts/)annotate\.py", "../tests/stop_when_ready.py", "it serves until Ctrl-C"),
    StandIn(r"\bratings=\S+", "ratings=rated.jsonl", "nobody sits at the page: a file of made-up ratings"),
    StandIn(
        r"llm=local llm\.model=\S+(.* prompts=(?:german|released))",
        r"llm=openai llm.base_url={url} "
        r"llm.model=NAME\1",
        "the embedded model writes no German and not the paper's way",
    ),
    StandIn(
        r"^(ray (?:start|stop).*?)\s*(?:#.*)?$", r"\1 --help", "ray stop would end other people's clusters"
    ),
    StandIn(r"\bray=(auto|\S+:\d+)", "ray=local", "a cluster of this machine's cores"),
    StandIn(r"(download_data\.py.*)", r"\1 source=mirror", "no internet: a folder with files of their form"),
    StandIn(r"^until curl .*", "true", "the server that stands in is there already"),
    StandIn(r"^kill \$server", "wait $server", "what stands in for vLLM ends by itself"),
    StandIn(r"^(grep .*runs/.*)$", r"{ \1 || [ $? = 1 ]; }", "so small a run may hold no such line"),
    StandIn(r"^ACCELERATE_CONFIG=\w+ (?=sbatch)", "", "no GPU"),
    StandIn(r"^sbatch ", "ACCELERATE_CONFIG=cpu sbatch ", "no Slurm: tests/doc_programs/sbatch, one node"),
)
# Words added, or put in the place of larger numbers, by script: hours become seconds.
SIZES = {
    "scripts/generate.py": ["num_instructions=4", "statistics.figures=false"],
    "finetune/train.py": ["max_steps=1", "max_length=256", "batch_size=4", "threads=1"],
    "scripts/train_slurm.sh": ["max_steps=1", "max_length=256", "batch_size=4", "threads=1"],
    "scripts/eval_superni.py": ["max_instances_per_task=1", "max_tokens=4", "intervals.resamples=100"],
    "scripts/eval_user_oriented.py": ["max_tokens=4", "intervals.resamples=100"],
    "scripts/judge.py": ["num_items=2", "samples=1", "intervals.resamples=100"],
    "scripts/report_ratings.py": ["intervals.resamples=100"],
    "scripts/make_report.py": ["samples=10"],
}
DEMO = [*SMALL]  # the demo itself takes seven minutes, and .ci/run runs it
# Words with which a command asks no model, so that sizes do not matter.
_ASKS_NOTHING = ("dry_run=true", "--help", "--cfg", "predictions=")


def named(command: Command, url: str = URL) -> Command:
    """The command with the names that a reader replaces replaced."""
    return _replaced(command, NAMES, url)


def composed_only(command: Command) -> str | None:
    """Why a command is not run; None for one that is."""
    if command.page in GENERATED:
        return GENERATED[command.page]
    plain = " ".join(named(command).words)
    return next((each.reason for each in COMPOSED_ONLY if re.search(each.pattern, plain)), None)


def runnable(command: Command, url: str) -> str:
    """The command as it is run."""
    if written := script_lines(command):
        first, *_, last = command.text.split("\n")
        return "\n".join([first, *(runnable(line, url) for line in written), last])
    changed = _replaced(named(command, url), RUN, url)
    if not (more := _smaller(command)):
        return changed.text
    keys = {word.partition("=")[0] for word in more}
    words = [*(word for word in changed.all_words if word.partition("=")[0] not in keys), *more]
    return " ".join(word if _is_plain(word) else shlex.quote(word) for word in words)


def _smaller(command: Command) -> list[str]:
    words, script = named(command).words, command.script or ""
    if script == "scripts/reproduce.py":
        # A dry run of it, too: the plan of other settings than those of the folder that is there is refused.
        is_demo = "experiment=demo" in words or not any(word.startswith("experiment=") for word in words)
        return DEMO if is_demo else ["dry_run=true"]
    added = SIZES.get(script, [])
    if script != "scripts/judge.py" and any(word.startswith(_ASKS_NOTHING) for word in words):
        added = [word for word in added if word.startswith(("intervals", "statistics", "samples=10"))]
        added = [] if {"dry_run=true", "--help", "--cfg"} & set(words) else added
    if script == "scripts/generate.py" and "stages=[regeneration]" in words:
        added = ["statistics.figures=false"] if "run_dir=runs/regenerated" in words else added
    given = dict(word.split("=", 1) for word in words if "=" in word)
    return [word for word in added if _is_less(word, given)]


def _is_less(word: str, given: dict[str, str]) -> bool:
    """Whether a command lacks the setting of that word, or has it with a larger number."""
    key, _, value = word.partition("=")
    return key not in given or (given[key].isdigit() and int(given[key]) > int(value))


def _replaced(command: Command, entries: tuple[StandIn, ...], url: str) -> Command:
    text = command.text
    for entry in entries:
        text = re.sub(entry.pattern, entry.text.replace("{url}", url), text)
    return Command(command.page, command.line, text)


def _is_plain(word: str) -> bool:
    return re.fullmatch(r"[\w@%+=:,./${}-]+", word) is not None and "{" not in word.replace("${", "")
