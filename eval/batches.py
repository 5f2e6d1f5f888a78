"""Which prompts are computed together: by a budget of tokens, neighbours in length, kin beside kin.

python scripts/eval_superni.py model=PATH_OR_HUB_ID batch_tokens=65536
"""

from collections.abc import Hashable, Sequence

SMALLEST_KIN = 8  # prompts that begin alike; of fewer, a batch of their own would not pay


def plan_batches(
    prompt_tokens: Sequence[int],
    answer_tokens: int,
    kin: Sequence[Hashable],
    batch_tokens: int,
    most_rows: int,
) -> list[list[int]]:
    """The numbers of the prompts by batch, largest batch first: what does not fit into memory shows at once.

    A batch's rows, as long as its longest with the longest answer, come to `batch_tokens` at most (one row is
    always taken), so that short prompts are many together. Prompts of the same `kin` begin alike (a task's
    definition, say): where they are enough, they share no batch with others, and their beginning is run once.
    The plan depends on nothing else, so a restart, or another number of processes, computes the same batches.
    """
    families: dict[Hashable, list[int]] = {}
    for number, name in enumerate(kin):
        families.setdefault(name, []).append(number)
    large = [members for members in families.values() if len(members) >= SMALLEST_KIN]
    rest = [number for members in families.values() if len(members) < SMALLEST_KIN for number in members]

    def cut(numbers: list[int], most_rows: int) -> list[list[int]]:
        batches: list[list[int]] = []
        for number in sorted(numbers, key=lambda number: (-prompt_tokens[number], number)):
            longest = prompt_tokens[batches[-1][0]] if batches else 0
            rows = len(batches[-1]) if batches else most_rows
            if rows >= most_rows or (rows + 1) * (longest + answer_tokens) > batch_tokens:
                batches.append([])
            batches[-1].append(number)
        return batches

    def balanced(numbers: list[int]) -> list[list[int]]:
        # 33 prompts where 32 fit: 17 and 16 rather than 32 and a lonely one.
        needed = len(cut(numbers, most_rows))
        return cut(numbers, -(-len(numbers) // needed)) if needed else []

    batches = [batch for members in (*large, rest) for batch in balanced(members)]
    return sorted(
        batches, key=lambda batch: (-len(batch) * (prompt_tokens[batch[0]] + answer_tokens), batch[0])
    )
