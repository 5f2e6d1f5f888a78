"""(instruction, input) -> prompt text: the one place, used by stage 4, finetuning and evaluation.

The thirteen forms are those of the paper's section 2.3 (released data): seven where there is an input, six
where there is none. Evaluation uses the form of the released prediction files (`self-instruct`).
"""

from collections.abc import Sequence
from typing import Literal

from selfinstruct.errors import UserError

# (prompt, text before the output). The blank before the output belongs to the completion: a tokenizer
# that glues a blank to the next word then sees the same tokens in training and in use.
WITH_INPUT: tuple[tuple[str, str], ...] = (
    ("{instruction}\nInput: {input}\nOutput:", " "),
    ("{instruction}\n\nInput: {input}\n\nOutput:", " "),
    ("Task: {instruction}\nInput: {input}\nOutput:", " "),
    ("{instruction}\n\n{input}\n\nOutput:", " "),
    ("{instruction}\n\n{input}\n\n", ""),
    ("{instruction}\n{input}\n\n", ""),
    ("Task: {instruction}\n\n{input}\n\n", ""),
)
WITHOUT_INPUT: tuple[tuple[str, str], ...] = (
    ("{instruction} Output:", " "),
    ("{instruction}\nOutput:", " "),
    ("{instruction}\n\nOutput:", " "),
    ("{instruction}\n", ""),
    ("{instruction}\n\n", ""),
    ("Task: {instruction}\n\n", ""),
)

PromptStyle = Literal["self-instruct", "tk-def", "chat"]
PROMPT_STYLES: tuple[PromptStyle, ...] = ("self-instruct", "tk-def", "chat")


def forms(input_text: str) -> tuple[tuple[str, str], ...]:
    """The forms that fit an instance: `WITH_INPUT` or, for an input of white space only, `WITHOUT_INPUT`."""
    return WITH_INPUT if input_text.strip() else WITHOUT_INPUT


def fill(form: tuple[str, str], instruction: str, input_text: str, output: str) -> tuple[str, str]:
    """Put an instance into a form; returns (prompt, completion). All three texts are stripped."""
    prompt, before_output = form
    # str.replace in one pass would re-read braces inside the texts; format with keywords does not.
    return (
        prompt.format(instruction=instruction.strip(), input=input_text.strip()),
        before_output + output.strip(),
    )


def check_prompting(style: str, num_examples: int) -> None:
    """Check the keys `prompt_style` and `num_examples` of an evaluation.

    Raises:
        UserError: an unknown style, or a negative number.
    """
    if style not in PROMPT_STYLES:
        raise UserError(f"prompt_style: {style!r} is unknown; choose from {', '.join(PROMPT_STYLES)}")
    if num_examples < 0:
        raise UserError(f"num_examples: {num_examples} must be 0 or more")


def evaluation_prompt(
    style: PromptStyle, instruction: str, input_text: str, examples: Sequence[tuple[str, str]] = ()
) -> str:
    """The prompt of a task instance in one of the named styles (recorded with every result).

    `self-instruct`: the released prediction files; `tk-def`: Tk-Instruct's definition-only prompt, its
    trailing blank stripped as for causal models; `chat`: the text of one user turn. Examples, (input, output)
    pairs, stand before the input: in `tk-def` as Tk-Instruct shows them, in `self-instruct` in the form of
    the input-first prompt of phase 1 (the paper evaluates without).
    """
    match style:
        case "self-instruct":
            instruction, input_text = instruction.strip(), input_text.strip()
            if examples:
                numbered = [
                    f"Example {number}\n{_block(*example)}"
                    for number, example in enumerate([*examples, (input_text, "")], start=1)
                ]
                return f"Task: {instruction}\n" + "\n\n".join(numbered)
            if input_text:
                return f"{instruction}\n\nInput: {input_text}\nOutput:"
            return f"{instruction}\nOutput:"
        case "tk-def":
            definition, given = _full_stop(instruction.strip()), _full_stop(input_text.strip())
            shown = "".join(
                f" Positive Example {number} -\nInput: {_full_stop(text.strip())}\n"
                f" Output: {_full_stop(output.strip())}\n\n"
                for number, (text, output) in enumerate(examples, start=1)
            )
            return (
                f"Definition: {definition}\n\n{shown}"
                f"Now complete the following example -\nInput: {given}\nOutput:"
            )
        case "chat":
            if not examples:
                return f"{instruction.strip()}\n\n{input_text.strip()}".strip()
            blocks = [_block(*example) for example in (*examples, (input_text, ""))]
            return "\n\n".join([instruction.strip(), *blocks])


def _block(input_text: str, output: str) -> str:
    """An example, or without an output the place where one is asked for."""
    given, answer = input_text.strip(), f"Output: {output.strip()}".strip()
    return f"Input: {given}\n{answer}" if given else answer


def _full_stop(text: str) -> str:
    # Tk-Instruct's rule (superni protocol): a text that does not end in punctuation gets a full stop,
    # an empty input becomes ".".
    return text if text and text[-1] in _PUNCTUATION else text + "."


_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
