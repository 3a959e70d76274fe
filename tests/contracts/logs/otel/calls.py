"""The model calls that every suite makes, each with the row that the stub's table gives it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import stub

OPENAI_HOST = "http://api.openai.com/v1"
PROMPT = [{"role": "user", "content": stub.QUESTION}]
TEXT = {"input_characters": len(stub.QUESTION), "output_characters": len("".join(stub.REPLY))}

Row = dict[str, Any]
Call = tuple[Callable[[], object], list[Row]]  # what to run, and the calls that it must show


def chat_row(model: str, **more: Any) -> Row:
    prompt, cached, completion, reasoning = stub.OPENAI[model]
    return {
        "provider": "openai",
        "model_requested": model,
        "model_served": stub.SERVED[model],
        "operation": "chat",
        "input_total": prompt,
        "cache_read": cached,
        "output_total": completion,
        "reasoning": reasoning,
    } | more


def embeddings_row(**more: Any) -> Row:
    gone = {"cache_read": None, "output_total": None, "reasoning": None}
    return chat_row("text-embedding-3-small", operation="embeddings") | gone | more


def unread(row: Row, **more: Any) -> Row:
    """The row of a call that reported no counts."""
    return row | dict.fromkeys(("input_total", "cache_read", "output_total", "reasoning")) | more


def refused(provider: str, model: str, **more: Any) -> Row:
    return {
        "provider": provider,
        "model_requested": model,
        "operation": "chat",
        "status": "error",
    } | more


def claude_row(model: str, **more: Any) -> Row:
    fresh, read, written, output = stub.ANTHROPIC[model]
    return {
        "provider": "anthropic",
        "model_requested": model,
        "model_served": stub.SERVED[model],
        "operation": "chat",
        "input_total": fresh + read + written,
        "cache_read": read,
        "cache_write": written,
        "output_total": output,
    } | more


def failing(action: Callable[[], object]) -> Callable[[], object]:
    def run() -> None:
        try:
            action()
        except Exception as error:
            if getattr(error, "status_code", None) != 429:
                raise

    return run


def web_library() -> Any:
    """The HTTP library of the installed clients: httpx2 since their third generation."""
    try:
        return importlib.import_module("httpx2")
    except ModuleNotFoundError:
        return importlib.import_module("httpx")


class Clients:
    """The providers' client libraries, sent through the stub."""

    def __init__(self, proxy: str) -> None:
        import openai

        self.proxy = proxy
        self.openai = openai.OpenAI(base_url=OPENAI_HOST, **self._options())

    def _options(self) -> dict[str, Any]:
        web = web_library().Client(proxy=self.proxy)
        return {"max_retries": 0, "api_key": "none", "http_client": web}

    @cached_property
    def anthropic(self) -> Any:
        import anthropic

        return anthropic.Anthropic(base_url="http://api.anthropic.com", **self._options())

    def chat(self, model: str, **more: Any) -> Callable[[], object]:
        return lambda: self.openai.chat.completions.create(model=model, messages=PROMPT, **more)

    def stream(self, model: str, **more: Any) -> Callable[[], object]:
        return lambda: list(self.chat(model, stream=True, **more)())  # type: ignore[call-overload]

    def embed(self) -> object:
        return self.openai.embeddings.create(model="text-embedding-3-small", input=stub.QUESTION)

    def respond(self, model: str) -> Callable[[], object]:
        return lambda: self.openai.responses.create(model=model, input=stub.QUESTION)

    def message(self, model: str, **more: Any) -> Callable[[], object]:
        return lambda: self.anthropic.messages.create(
            model=model, max_tokens=500, messages=PROMPT, **more
        )

    def message_stream(self, model: str) -> Callable[[], object]:
        return lambda: list(self.message(model, stream=True)())  # type: ignore[call-overload]


def chats(clients: Clients, **more: Any) -> Iterator[Call]:
    """The calls that every suite makes to OpenAI."""
    with_usage = {"stream_options": {"include_usage": True}}
    yield clients.chat("gpt-4o-mini"), [chat_row("gpt-4o-mini", **more)]
    yield clients.chat("o4-mini", service_tier="flex"), [chat_row("o4-mini", **more)]
    yield clients.stream("gpt-4o", **with_usage), [chat_row("gpt-4o", **more)]
    yield clients.stream("gpt-4o"), [unread(chat_row("gpt-4o", **more), **TEXT)]
    yield clients.embed, [embeddings_row(**more)]
    yield failing(clients.chat("gpt-4.1")), [refused("openai", "gpt-4.1", **more)]


def messages(clients: Clients, **more: Any) -> Iterator[Call]:
    """The calls that every suite makes to Anthropic."""
    yield clients.message("claude-sonnet-4-5"), [claude_row("claude-sonnet-4-5", **more)]
    yield clients.message("claude-haiku-4-5"), [claude_row("claude-haiku-4-5", **more)]
    yield clients.message_stream("claude-opus-4-1"), [claude_row("claude-opus-4-1", **more)]
    error = refused("anthropic", "claude-3-opus-latest", **more)
    yield failing(clients.message("claude-3-opus-latest")), [error]


def images(clients: Clients, **more: Any) -> Iterator[Call]:
    row = {
        "provider": "openai",
        "model_requested": "gpt-image-1",
        "model_served": "gpt-image-1",
        "operation": "image_generation",
        "images_out": 2,
    }
    yield (
        lambda: clients.openai.images.generate(model="gpt-image-1", prompt="a river", n=2),
        # no counts and no answer in words: the prompt's length is all that there is
        [row | {"input_characters": len("a river")} | more],
    )


def agents(proxy: str) -> Iterator[Call]:
    """An agent with a tool, by the OpenAI Agents SDK: a workflow, an agent, a tool, two calls."""
    import agents as sdk
    import openai

    web = web_library()
    client = openai.AsyncOpenAI(
        api_key="none",
        base_url=OPENAI_HOST,
        max_retries=0,
        http_client=web.AsyncClient(proxy=proxy),
    )
    sdk.set_default_openai_client(client, use_for_tracing=False)

    @sdk.function_tool
    def longest_river() -> str:
        """The longest river of Europe."""
        return "The Volga"

    agent = sdk.Agent(name="geographer", model="gpt-5", tools=[longest_river])
    row = chat_row("gpt-5", service_tier="default")
    yield lambda: sdk.Runner.run_sync(agent, stub.QUESTION), [row, row]


def nested_agent(clients: Clients) -> Iterator[Call]:
    """An agent span that repeats the counts of the call inside it, by the GenAI span library."""
    from opentelemetry.util.genai.handler import get_telemetry_handler

    def run() -> None:
        handler = get_telemetry_handler()
        with (
            handler.workflow(name="support"),
            handler.invoke_local_agent(request_model="gpt-4o-mini", agent_name="a") as agent,
        ):
            answer: Any = clients.chat("gpt-4o-mini")()
            agent.input_tokens = answer.usage.prompt_tokens
            agent.output_tokens = answer.usage.completion_tokens

    yield run, [chat_row("gpt-4o-mini", service_tier="default", reasoning=None)]


def gemini(proxy: str) -> Iterator[Call]:
    from google import genai
    from google.genai import types

    options = types.HttpOptions(
        base_url="http://generativelanguage.googleapis.com", client_args={"proxy": proxy}
    )
    client = genai.Client(api_key="none", http_options=options)
    prompt, cached, candidates, thoughts = stub.GEMINI
    row = {
        "provider": "google",
        "model_requested": "gemini-2.5-pro",
        "model_served": "gemini-2.5-pro",
        "operation": "generate_content",
        "region": "gcp:europe-west9",
        "input_total": prompt,
        "cache_read": cached,
        "output_total": candidates + thoughts,
        "reasoning": thoughts,
    }
    yield (
        lambda: client.models.generate_content(model="gemini-2.5-pro", contents=stub.QUESTION),
        [row],
    )


def tiers(calls: Iterator[Call], tier: str = "default", **more: Any) -> Iterator[Call]:
    """The rows of calls with the service tier that the stub answered, unless a call failed."""
    for action, rows in calls:
        for row in rows:
            row.update(more)
            if not row.get("status") and row["operation"] != "embeddings":
                row["service_tier"] = stub.TIER.get(row["model_requested"], tier)
        yield action, rows


def blank_zeros(calls: Iterator[Call], *names: str) -> Iterator[Call]:
    """The rows of calls without the zero counts that an instrumentation does not write."""
    for action, rows in calls:
        yield action, [row | {n: row.get(n) or None for n in names} for row in rows]
