"""Who rates which items, in what order, and which come a second time: all decided by the seed alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random

from eval.annotate.items import Item
from eval.ratings import ADJUDICATION, FIRST, REPEAT, Event, Unit, choices, disagreements
from selfinstruct.settings import digest

Entry = tuple[str, str]  # an item's id and the round it comes in


@dataclass(frozen=True)
class Placed:
    """An item at its place in a rater's list, its answers in the order this rater sees them.

    Attributes:
        given: of each slot the raters' differing ratings, without names, where they are to be decided.
    """

    item: Item
    round: str
    given: tuple[tuple[str, ...], ...] = ()


def assign(
    items: Sequence[str],
    raters: Sequence[str],
    overlap: int,
    seed: int,
    before: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[str]]:
    """Give each item (its id) to `overlap` raters: loads differ by one at most, and pairs meet evenly.

    Items keep their order, so that two raters who both stop early have rated the same ones. What was
    assigned `before` stays, and only what an item lacks is added, at the end of a rater's list.

    Raises:
        ValueError: more raters an item than there are.
    """
    if not 1 <= overlap <= len(raters):
        raise ValueError(f"{overlap} raters an item of {len(raters)}")
    lists = {rater: list((before or {}).get(rater, [])) for rater in raters}
    load = {rater: len(own) for rater, own in lists.items()}
    met = {frozenset(pair): 0 for pair in combinations(raters, 2)}
    holders: dict[str, list[str]] = {item: [] for item in items}
    for rater, own in lists.items():
        for item in own:
            holders[item].append(rater)
    generator = Random(f"{seed}:assignment")
    for item in items:
        chosen = holders[item]
        for _ in range(overlap - len(chosen)):
            free = generator.sample(raters, len(raters))  # ties fall at random
            rater = min(
                (rater for rater in free if rater not in chosen),
                key=lambda rater: (load[rater], sum(met[frozenset((rater, other))] for other in chosen)),
            )
            chosen.append(rater)
            load[rater] += 1
            lists[rater].append(item)
        for pair in combinations(chosen, 2):
            met[frozenset(pair)] += 1
    return lists


def hand_over(
    lists: Mapping[str, Sequence[str]], untouched: Mapping[str, Collection[str]], newcomers: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    """Which items newcomers take over so that all have about as much before them: newcomer -> giver -> items.

    Only items that their rater has not touched change hands, from the end of the lists; no item comes twice
    to one person, and each keeps as many raters as it had.
    """
    waiting = {
        rater: [item for item in own if item in untouched[rater]]
        for rater, own in lists.items()
        if rater not in newcomers
    }
    held = {rater: list(lists[rater]) for rater in newcomers}
    taken: dict[str, dict[str, list[str]]] = {rater: {} for rater in newcomers}
    while True:
        taker = min(newcomers, key=lambda rater: len(held[rater]))
        for giver in sorted(waiting, key=lambda rater: -len(waiting[rater])):
            free = [item for item in waiting[giver] if item not in held[taker]]
            if free and len(waiting[giver]) > len(held[taker]) + 1:
                break
        else:
            return taken
        waiting[giver].remove(free[-1])
        held[taker].append(free[-1])
        taken[taker].setdefault(giver, []).append(free[-1])


def plant(items: Sequence[str], rater: str, repeats: float, seed: int) -> list[Entry]:
    """A rater's list: their items in order, and a share of them planted a second time.

    A repeat comes at least half the list after its first showing; the page shows nothing of it.
    """
    half = len(items) // 2
    generator = Random(f"{seed}:{rater}:repeats")
    number = min(round(repeats * len(items)), len(items) - half) if half else 0
    repeated = sorted(generator.sample(range(len(items) - half), number))
    keyed = [(float(index), (item, FIRST)) for index, item in enumerate(items)]
    for index in repeated:
        later = index + half + generator.random() * (len(items) - half - index)
        keyed.append((later, (items[index], REPEAT)))
    keyed.sort(key=lambda pair: pair[0])
    return [entry for _, entry in keyed]


def place(entries: Sequence[Entry], items: Mapping[str, Item], rater: str, seed: int) -> list[Placed]:
    """A rater's list with its texts: the answers of each item shuffled for this rater, item and round."""
    return [_shuffled(Placed(items[item], round), rater, seed) for item, round in entries]


def place_disagreements(
    items: Sequence[Item], ratings: Mapping[Unit, Event], adjudicator: str, seed: int
) -> list[Placed]:
    """The answers whose first ratings differ, for one person to decide; items without such are left out."""
    questions = {slot.question for item in items for slot in item.slots}
    differing = {question: disagreements(ratings, question) for question in questions}
    placed = []
    for item in items:
        slots = tuple(slot for slot in item.slots if (item.id, slot.system) in differing[slot.question])
        if slots:
            shuffled = _shuffled(Placed(replace(item, slots=slots), ADJUDICATION), adjudicator, seed)
            slots = shuffled.item.slots
            given = tuple(tuple(differing[slot.question][item.id, slot.system]) for slot in slots)
            placed.append(replace(shuffled, given=given))
    return placed


def _shuffled(placed: Placed, rater: str, seed: int) -> Placed:
    slots = list(placed.item.slots)
    if any(slot.text is not None for slot in slots):  # questions keep their order
        Random(f"{seed}:{rater}:{placed.item.id}:{placed.round}").shuffle(slots)
    return replace(placed, item=replace(placed.item, slots=tuple(slots)))


def list_digest(placed: Sequence[Placed]) -> str:
    """16 hex digits that change with anything in a rater's list; made of what the rater sees, no names."""
    shown = [
        [each.item.instruction, each.item.input, [[s.question, s.text] for s in each.item.slots]]
        for each in placed
    ]
    return digest(shown)[:16]


def slot_choices(placed: Placed, slot: int) -> tuple[str, ...]:
    """The answers a slot takes, best first."""
    return choices(placed.item.slots[slot].question)
