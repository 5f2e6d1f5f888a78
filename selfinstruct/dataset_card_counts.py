"""The sections of a data set's card that tell what came out: counts, rejects, nearness, cost, limits."""

from collections.abc import Mapping
from typing import Any

from selfinstruct.dataset_card_model import NO_LICENCE, second_model
from selfinstruct.leaks import LEAKS
from selfinstruct.markdown import markdown_code, markdown_table
from selfinstruct.paper_numbers import published
from selfinstruct.statistics import PAPER


def counts_section(statistics: Mapping[str, Any]) -> str:
    """What came out, beside the paper."""
    instructions, instances = statistics.get("instructions", {}), statistics.get("instances", {})
    verbs = statistics.get("verb_objects", {})
    paper_instructions, paper_instances, paper_verbs = (
        PAPER["instructions"],
        PAPER["instances"],
        PAPER["verb_objects"],
    )
    rows = [
        ("instructions", instructions.get("count"), paper_instructions["count"]),
        ("- classification", instructions.get("classification"), paper_instructions["classification"]),
        ("- other", instructions.get("other"), paper_instructions["other"]),
        ("instances", instances.get("count"), paper_instances["count"]),
        ("- with empty input", instances.get("empty_input"), paper_instances["empty_input"]),
        ("mean words of an instruction", instructions.get("mean_words"), paper_instructions["mean_words"]),
        (
            "mean words of a non-empty input",
            instances.get("mean_words_input"),
            paper_instances["mean_words_input"],
        ),
        ("mean words of an output", instances.get("mean_words_output"), paper_instances["mean_words_output"]),
        ("mean highest ROUGE-L with a seed", statistics.get("nearest_seed", {}).get("mean"), ""),
        (
            "instructions with root verb and direct noun object",
            verbs.get("with_pair"),
            paper_verbs["with_pair"],
        ),
    ]
    balance = statistics.get("label_balance")
    if balance and balance["tasks"]:
        rows += [
            ("classification tasks with two instances or more", balance["tasks_with_several_instances"], ""),
            ("- of them with one label only", balance["one_label_only"], ""),
        ]
    note = f"Verbs and objects: read by {verbs['read_by']}." if verbs else ""
    table = markdown_table(("what", "this run", "paper"), [row for row in rows if row[1] is not None])
    return f"## Counts\n\n{table}\n\n{note}".rstrip()


def rejected_section(statistics: Mapping[str, Any]) -> str:
    """What was rejected, by stage and reason."""
    rows = [
        (stage, reason, count)
        for stage, reasons in statistics.get("rejected", {}).items()
        for reason, count in reasons.items()
    ]
    return "## Rejected\n\n" + markdown_table(("stage", "reason", "texts"), rows or [("-", "-", 0)])


def regeneration_section(config: Mapping[str, Any], statistics: Mapping[str, Any]) -> str:
    """What a second model wrote anew; empty where none did."""
    found = statistics.get("regeneration")
    if not found:
        return ""
    model, licence = second_model(config)
    unusable = sum(statistics["rejected"].get("regeneration", {}).values())
    fate = "keep their output" if config["regeneration"]["unusable"] == "keep_original" else "are left out"
    rows = [
        ("outputs written anew", found["count"]),
        ("- equal to the original", found["equal_to_original"]),
        ("- mean ROUGE-L with the original", found["mean_rouge_l_with_original"]),
        ("- mean words, original", found["mean_words_original"]),
        ("- mean words, written anew", found["mean_words_output"]),
        (f"unusable answers, whose instances {fate}", unusable),
    ]
    note = f"A second model has written the outputs anew: {model}. Licence: {licence or NO_LICENCE}."
    return f"## Regenerated outputs\n\n{note}\n\n" + markdown_table(("what", "this run"), rows)


def leaks_section(statistics: Mapping[str, Any]) -> str:
    """How near the instructions are to evaluation tasks; empty where that is not known."""
    found = statistics.get("leaks")
    if not found:
        return (
            "## Evaluation tasks\n\nNot compared with any (statistics.evaluation_tasks)."
            if found == []
            else ""
        )
    rows = []
    for each in found:
        tasks = (
            each["tasks"] if each["tasks"] == each["tasks_of"] else f"{each['tasks']} of {each['tasks_of']}"
        )
        rows.append(
            (
                markdown_code(each["evaluation"]),
                tasks,
                each["leaks"],
                each["mean_nearest"],
                each["seeds_mean_nearest"],
            )
        )
    seeds = published("evaluation_overlap")
    superni = seeds.values["seeds_mean_nearest_superni"]
    user_oriented = seeds.values["seeds_mean_nearest_user_oriented"]
    paper = (
        f"The paper's seeds ({seeds.version}): {superni} with SuperNI, {user_oriented} with its "
        "user-oriented set."
    )
    return (
        "## Evaluation tasks\n\nLeaks: instructions with ROUGE-L of 0.7 or more with an evaluation task "
        f"(`{LEAKS}`). Beside them the mean ROUGE-L with the nearest one.\n\n"
        + markdown_table(("evaluation", "tasks", "leaks", "mean, generated", "mean, seeds"), rows)
        + f"\n\n{paper}"
    )


def cost_section(statistics: Mapping[str, Any]) -> str:
    """Requests and tokens, and what they cost."""
    usage = statistics.get("usage")
    if not usage:
        return "## Cost\n\nNo answers of a model are on record in this folder."
    counts = {**usage["by_stage"], "all": usage["total"]}
    columns = ("requests", "prompt_tokens", "completion_tokens")
    rows = [(stage, *(f"{of_stage[name]:,}" for name in columns)) for stage, of_stage in counts.items()]
    table = markdown_table(("stage", "requests", "prompt tokens", "completion tokens"), rows)
    price = "At the prices given" if "cost" in usage else "No prices were given (budget.prices)"
    money = f": {usage['cost']:,} in their currency" if "cost" in usage else ""
    cost, count = published("cost"), PAPER["instructions"]["count"]
    return (
        f"## Cost\n\n{table}\n\n{price}{money}. Counted are the answers that the data were made from. "
        "What else was paid for (answers that came when stage 1 had enough already) is in "
        "response_log.jsonl, and in the sums that a run ends with. The paper's "
        f"{count:,} instructions cost about ${cost.values['generation']} ({cost.version})."
    )


def limits_section(is_toy: bool, statistics: Mapping[str, Any]) -> str:
    """What to mind before the data is used; `is_toy`: the embedded model wrote it."""
    if is_toy:
        limits = [
            "Written by the project's embedded toy model in its little world: it shows that the pipeline "
            "runs, and is of no use as training data for anything else."
        ]
    else:
        faulty = 100 - published("quality_review").values["all_three"]
        limits = [
            f"Text of a language model: it holds errors (in the paper's review {faulty} % of the instances "
            "have at least one) and what biases the model has, and is bound by the model's licence.",
        ]
    limits.append("No person has checked it, and nothing filters private, offensive or harmful text.")
    limits.append("The filters go by words alone: the same said in words that they do not know passes.")
    if statistics.get("leaks"):
        limits.append("The comparison with evaluation tasks finds near wordings, no paraphrases.")
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)
