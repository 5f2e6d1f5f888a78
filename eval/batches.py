"""Which prompts are computed together: by a budget of tokens, neighbours in length, kin beside kin.

python scripts/eval_superni.py model=PATH_OR_HUB_ID batch_tokens=65536
"""

from collections import Counter
from collections.abc import Hashable, Sequence

SMALLEST_KIN = 8  # prompts that begin alike; fewer are sorted among all others


def plan_batches(
    prompt_tokens: Sequence[int],
    answer_tokens: int,
    kin: Sequence[Hashable],
    batch_tokens: int,
    most_rows: int,
) -> list[list[int]]:
    """The numbers of the prompts by batch, largest batch first: what does not fit into memory shows at once.

    A batch's rows, as long as its longest with the longest answer, come to `batch_tokens` at most (one row is
    always taken), so that short prompts are many together. They are neighbours in length; but prompts of the
    same `kin` begin alike (a task's definition, say), and where they are enough stay side by side, so that
    their beginning is run once. The plan depends on nothing else, so a restart, or another number of
    processes, computes the same batches.
    """
    size = Counter(kin)
    longest: dict[Hashable, int] = {}
    for tokens, name in zip(prompt_tokens, kin, strict=True):
        longest[name] = max(tokens, longest.get(name, 0))
    first = {name: number for number, name in reversed(list(enumerate(kin)))}

    def place(number: int) -> tuple[int, int, int, int]:
        name, own = kin[number], prompt_tokens[number]
        if size[name] < SMALLEST_KIN:
            return -own, -1, 0, number
        return -longest[name], first[name], -own, number

    order = sorted(range(len(kin)), key=place)

    def cut(most_rows: int) -> list[list[int]]:
        batches: list[list[int]] = []
        for number in order:
            widest = max(prompt_tokens[number], prompt_tokens[batches[-1][0]] if batches else 0)
            rows = len(batches[-1]) if batches else most_rows
            if rows >= most_rows or (rows + 1) * (widest + answer_tokens) > batch_tokens:
                batches.append([])
            batches[-1].append(number)
            batches[-1].sort(key=lambda each: (-prompt_tokens[each], each))
        return batches

    # 33 prompts where 32 fit: 17 and 16 rather than 32 and a lonely one.
    batches = cut(most_rows)
    batches = cut(-(-len(order) // len(batches))) if batches else []
    return sorted(
        batches, key=lambda batch: (-len(batch) * (prompt_tokens[batch[0]] + answer_tokens), batch[0])
    )
