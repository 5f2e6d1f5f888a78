"""Which prompts of a batch run their beginning once for all, and which are of about one length."""

from itertools import pairwise

SHORTEST_SHARED_PREFIX = 16  # tokens; below that a pass of its own does not pay
LARGEST_PADDING = 256  # tokens that a pass of its own for some of the prompts must save
_DEEPEST = 50  # levels of prefixes within prefixes that are looked at

Prompt = list[int]


def shared_prefix(prompts: list[Prompt]) -> int:
    """Length of the prefix that all prompts begin with, or 0 where running it once does not pay."""
    shared = min(_common(min(prompts), max(prompts)), min(map(len, prompts)) - 1)
    shortest, longest = min(map(len, prompts)), max(map(len, prompts))
    pays = len(prompts) > 1 and shortest - (longest - shared) >= SHORTEST_SHARED_PREFIX
    return shared if pays else 0


def by_length(prompts: list[Prompt]) -> list[list[Prompt]]:
    """Prompts, sorted by length, in groups of neighbours: few, and with little padding in each."""
    groups: list[list[Prompt]] = []
    padding = 0
    for prompt in reversed(prompts):
        padding += len(groups[-1][-1]) - len(prompt) if groups else 0
        if not groups or padding > LARGEST_PADDING:
            groups.append([])
            padding = 0
        groups[-1].insert(0, prompt)
    return groups[::-1]


def families(prompts: list[Prompt]) -> list[list[int]]:
    """The numbers of the prompts in groups that begin alike, where a pass for each pays; the others last.

    A group's pass runs its shared prefix once, then as many tokens a row as its longest has behind it.
    """
    order = sorted(range(len(prompts)), key=lambda number: prompts[number])
    common = [_common(prompts[a], prompts[b]) for a, b in pairwise(order)]

    def cost(first: int, end: int, shared: int) -> int:
        longest = max(len(prompts[number]) for number in order[first:end])
        return shared + (end - first) * (longest - shared) + LARGEST_PADDING

    def split(first: int, end: int, depth: int) -> tuple[list[tuple[int, int]], int]:
        """The groups within a range of the order, and what the range costs with them."""
        alone = cost(first, end, 0) - LARGEST_PADDING  # as a part of the prompts that share nothing
        if end - first < 2 or depth > _DEEPEST:
            return [], alone
        shared = min(common[first : end - 1])
        cuts = [first, *(i + 1 for i in range(first, end - 1) if common[i] == shared), end]
        parts = [split(a, b, depth + 1) for a, b in pairwise(cuts)]
        apart = sum(each for _, each in parts)
        together = (
            cost(first, end, shared) if shared_prefix([prompts[n] for n in order[first:end]]) else alone
        )
        if together <= apart and together < alone:
            return [(first, end)], together
        return [group for groups, _ in parts for group in groups], apart

    groups = split(0, len(order), 0)[0]
    found = [order[first:end] for first, end in groups]
    rest = sorted(set(order) - {number for group in found for number in group})
    return [*found, rest] if rest else found


def _common(first: Prompt, second: Prompt) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(first), len(second)))
