"""The table of run folders that a command must refuse: of another run, in use, damaged, on a full disk."""

from bad_input_cases import Case, cut, setting, write

RUN_FOLDER_CASES = [
    Case(
        "run folder below a file",
        "generate",
        "run_dir=seeds.jsonl/new",
        ("seeds.jsonl/new", "choose another"),
    ),
    Case(
        "run folder where none can be", "train", "run_dir=/proc/new", ("run_dir: /proc/new cannot be made",)
    ),
    Case(
        "run folder of another command",
        "reproduce",
        "seed_dir=generated",
        ("belongs to 'generate', not 'rep",),
    ),
    Case(
        "run folder of another run: generate",
        "generate",
        "run_dir=generated seed=2",
        (
            "generated: its 'instructions' was made with other",
            "seed: was 1, is now 2",
            "choose another run_dir",
        ),
    ),
    Case(
        "run folder of another run: train",
        "train",
        "run_dir=trained learning_rate=0.5",
        ("learning_rate: was 0.", "is now 0.5", "choose another run_dir"),
    ),
    Case(
        "run folder of another run: eval_superni",
        "eval_superni",
        "run_dir=scored intervals.seed=9",
        ("intervals.seed: was 0, is now 9", "choose another run_dir"),
    ),
    Case(
        "run folder with more than asked for",
        "generate",
        "run_dir=generated num_instructions=1",
        ("num_instructions: 1 is less than", "already holds 3", "give at least as many"),
    ),
    Case(
        "run folder in use",
        "generate",
        "run_dir=generated",
        ("generated: another process (pid ", "wait for it"),
        busy="generated",
    ),
    Case(
        "manifest cut off",
        "train",
        "run_dir=trained",
        ("trained/manifest.json: not readable", "move the folder away"),
        cut("trained/manifest.json"),
    ),
    Case(
        "instructions with a broken line",
        "generate",
        "run_dir=generated",
        ("generated/machine_generated_instructions.jsonl:1: not valid JSON", "one JSON object"),
        write("generated/machine_generated_instructions.jsonl", '{"instruction"\n{}\n'),
    ),
    Case(
        "instructions without a field",
        "generate",
        "run_dir=generated",
        ('generated/machine_generated_instructions.jsonl:1: "request_idx" (int) is needed', "mend the line"),
        write("generated/machine_generated_instructions.jsonl", '{"instruction": "a"}\n'),
    ),
    Case(
        "classification of other instructions",
        "generate",
        "run_dir=generated",
        ("generated/is_clf_or_not.jsonl:1: not the instruction of line 1", "choose another run_dir"),
        write("generated/is_clf_or_not.jsonl", '{"instruction": "a", "is_classification": "No"}\n'),
    ),
    Case(
        "response log without a field",
        "generate",
        "run_dir=generated",
        ("generated/response_log.jsonl:1: text is missing", "delete the line"),
        write("generated/response_log.jsonl", '{"key": "a", "prompt_tokens": 1, "completion_tokens": 1}\n'),
    ),
    setting("generate", "stages=[instances]", "not there; run the", "stage first"),
    Case(
        "disk full: generate",
        "generate",
        "",
        ("run_dir: new: the disk is full", "free some space, then start again"),
        limit=1,
    ),
    Case(
        "run folder of somebody else",
        "generate",
        "run_dir=mine",
        ("mine holds 'README.md' but no manifest.json", "choose a new or an empty one"),
        write("mine/README.md", "my own notes"),
    ),
    setting("generate", "run_dir=", "run_dir is empty; give a path"),
    Case("disk full at the manifest", "generate", "", ("new: the disk is full", "then start"), limit=9000),
    Case(
        "disk full: train",
        "train",
        "",
        ("run_dir: new: the disk is full", "free some space, then start again"),
        limit=1,
    ),
]
