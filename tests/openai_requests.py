"""Requests that the tests of `llm=openai` send, and how they wait for the answers."""

from dataclasses import replace

from selfinstruct.llm.base import LLM, Completion, Request, complete_in_order

ASK = Request("Name a river.", max_tokens=50)
SAMPLED = replace(ASK, temperature=0.7, top_p=0.5)


def ask(llm: LLM, *requests: Request) -> list[Completion]:
    """The answers to the requests, in their order."""
    return list(complete_in_order(llm, requests))
