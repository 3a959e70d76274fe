"""Rewrites this folder's samples and expected.csv: `python make.py SUITE`, once for each suite.

Each suite needs an environment of its own, with the packages that README.md lists. Calls are made
by the providers' own client libraries, traced by the instrumentation under test, and answered by
the loopback stub of stub.py. The rows of expected.csv come from the stub's table, and the times
and ids from the SDK's span objects: kilowhat takes no part.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import stub
from calls import (
    PROMPT,
    TEXT,
    Clients,
    agents,
    blank_zeros,
    chat_row,
    chats,
    gemini,
    images,
    messages,
    nested_agent,
    tiers,
    unread,
)
from recording import (
    HERE,
    Tracing,
    expected,
    note,
    tell,
    write_console,
    write_document,
    write_lines,
    write_protobuf,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from calls import Call

RESOURCE = {
    "service.name": "support-bot",
    "cloud.provider": "gcp",
    "cloud.region": "europe-west9",
    "team": "helpdesk",
}


def official(proxy: str) -> None:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    tracing = Tracing(RESOURCE, {"user.id": "u-17"})
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
    from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor
    from opentelemetry.instrumentation.google_genai import GoogleGenAiSdkInstrumentor

    for each in (
        OpenAIInstrumentor,
        AnthropicInstrumentor,
        OpenAIAgentsInstrumentor,
        GoogleGenAiSdkInstrumentor,
    ):
        each().instrument()
    clients = Clients(proxy)
    who = {"project": "support-bot", "team": "helpdesk", "user": "u-17"}

    def calls() -> Iterator[Call]:
        first = tiers(chats(clients), **who)
        yield from blank_zeros(first, "cache_read", "reasoning")
        yield (
            clients.respond("gpt-5"),
            [chat_row("gpt-5", service_tier="default", **who)],
        )
        # the inner span is the client library's own: it writes zeros
        yield from tiers(messages(clients), tier="standard", **who)

    def wholes() -> Iterator[Call]:
        for action, rows in (*agents(proxy), *nested_agent(clients), *gemini(proxy)):
            yield action, [row | who for row in rows]

    batches = tracing.run(calls())
    write_lines("sample-official.jsonl", batches)
    write_protobuf("sample-official.binpb", batches)
    tell("sample-official.jsonl", batches)
    tell("sample-official.binpb", batches)
    write_console(batches, "official")
    batches = tracing.run(wholes())
    write_lines("sample-agents.jsonl", batches)
    tell("sample-agents.jsonl", batches)


def openai_v2(proxy: str) -> None:
    """The first official instrumentation, with the old names, from a program that runs in Azure."""
    import openai

    tracing = Tracing(
        {
            "service.name": "unknown_service",
            "cloud.provider": "azure",
            "cloud.region": "francecentral",
        },
        {"enduser.id": "u-18", "team": "billing", "gen_ai.conversation.id": "c-1"},
    )
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    clients = Clients(proxy)
    gone = dict.fromkeys(("cache_read", "reasoning", "input_characters", "output_characters"))

    def azure() -> object:
        client = openai.OpenAI(
            base_url="http://example.openai.azure.com/openai/v1", **clients._options()
        )
        return client.chat.completions.create(model="gpt-4o", messages=PROMPT)

    def calls() -> Iterator[Call]:
        who = {"team": "billing", "user": "u-18"}
        for action, rows in tiers(chats(clients), **who):
            yield action, [row | gone for row in rows]
        row = chat_row("gpt-4o", service_tier="default", **who)
        yield azure, [row | gone | {"provider": "azure", "region": "azure:francecentral"}]

    batches = tracing.run(calls())
    write_lines("sample-openai-v2.jsonl", batches)
    tell("sample-openai-v2.jsonl", batches)


def openllmetry(proxy: str) -> None:
    """OpenLLMetry, set up by its own kit, with a workflow and a task around one of the calls."""
    os.environ["TRACELOOP_TELEMETRY"] = "false"
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import task, workflow
    from traceloop.sdk.instruments import Instruments

    tracing = Tracing.__new__(Tracing)
    tracing.kept = InMemorySpanExporter()
    Traceloop.init(
        app_name="support-bot",
        exporter=tracing.kept,
        disable_batch=True,
        instruments={Instruments.OPENAI, Instruments.ANTHROPIC},
        resource_attributes={"team": "helpdesk"},
        telemetry_enabled=False,
    )
    Traceloop.set_association_properties({"user_id": "u-19"})
    clients = Clients(proxy)
    who = {"project": "support-bot", "team": "helpdesk", "user": "u-19"}

    @task(name="ask")
    def ask() -> object:
        return clients.chat("gpt-4o-mini")()

    @workflow(name="support")
    def support() -> object:
        return ask()

    def calls() -> Iterator[Call]:
        for action, rows in tiers(chats(clients), **who):
            for row in rows:
                if row["model_requested"] == "gpt-4o":  # streams
                    row |= {"service_tier": None, "reasoning": None}
                if row["operation"] == "embeddings":
                    row |= {"cache_read": 0}
            yield action, rows
        row = chat_row("gpt-4o-mini", service_tier="default", **who)
        yield support, [row]
        # its span and that of the client library lie side by side, in two traces
        for action, rows in tiers(messages(clients), tier="standard", **who):
            outer = rows[0] | {"service_tier": None}
            if rows[0]["model_requested"] == "claude-opus-4-1":
                outer["output_total"] += 1  # it adds the first event's count to the last one's
            yield action, [outer, *rows]

    batches = tracing.run(calls())
    write_lines("sample-openllmetry.jsonl", batches)
    tell("sample-openllmetry.jsonl", batches)


def openllmetry_2024(proxy: str) -> None:
    """OpenLLMetry of late 2024: prompt_tokens, llm.request.type, one attribute a message."""
    tracing = Tracing({"service.name": "support-bot"})
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    AnthropicInstrumentor().instrument()
    clients = Clients(proxy)

    def calls() -> Iterator[Call]:
        for action, rows in (*chats(clients), *messages(clients)):
            row = rows[0] | {"project": "support-bot"}
            model = row["model_requested"]
            if row["provider"] == "openai":
                row |= {"cache_read": None, "reasoning": None}
            else:
                row |= {"operation": "text_completion"}
            if model in {"gpt-4o", "claude-opus-4-1"}:  # a stream's counts were not read
                row = unread(row, cache_write=None, **TEXT)
            if model == "claude-opus-4-1":
                row |= {"model_served": None}
            # a call that failed left no span
            yield action, [] if row.get("status") else [row]

    batches = [b for b in tracing.run(calls()) if b[1]]
    write_document("sample-openllmetry-2024.json", batches)
    rows = [row | {"line": 1} for row in expected("sample-openllmetry-2024.json", batches)]
    note(HERE, rows)
    write_console(batches, "openllmetry-2024")


def openlit(proxy: str) -> None:
    """OpenLIT, with prices for one model."""
    import tempfile

    import openlit as library

    prices = {
        "chat": {"gpt-4o-mini": {"promptPrice": 0.00015, "completionPrice": 0.0006}},
        "embeddings": {},
        "images": {},
        "audio": {},
    }
    tracing = Tracing({"service.name": "support-bot"})
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "prices.json"
        table.write_text(json.dumps(prices), encoding="utf-8")
        library.init(
            environment="production",
            application_name="support-bot",
            disable_metrics=True,
            disable_events=True,
            pricing_json=str(table),
            disabled_instrumentors=["httpx", "requests", "urllib3", "urllib"],
        )
    clients = Clients(proxy)
    who = {"project": "support-bot"}

    def calls() -> Iterator[Call]:
        for action, rows in tiers(chats(clients), **who):
            for row in rows:
                row["reasoning"] = None
                if row.get("input_total") and row["operation"] == "chat":
                    row["cache_write"] = 0
            yield action, rows
        yield (
            clients.respond("gpt-5"),
            [chat_row("gpt-5", service_tier="default", cache_write=0, **who)],
        )
        for action, rows in messages(clients, **who):
            # the span of a call that failed says nothing but its name
            yield action, [] if rows[0].get("status") else rows
        yield from images(clients, **who)

    batches = tracing.run(calls())
    write_lines("sample-openlit.jsonl", batches)
    tell("sample-openlit.jsonl", batches)
    write_console([b for b in batches if b[1] and b[1][0]["operation"] == "chat"], "openlit")


def openinference(proxy: str) -> None:
    """OpenInference, whose names are its own, without the id of the answer."""
    tracing = Tracing({"service.name": "support-bot"}, {"user.id": "u-20"})
    from openinference.instrumentation.anthropic import AnthropicInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument()
    AnthropicInstrumentor().instrument()
    clients = Clients(proxy)
    who = {"project": "support-bot", "user": "u-20"}

    def calls() -> Iterator[Call]:
        yield from chats(clients, **who)
        yield from tiers(messages(clients), tier="standard", **who)

    batches = tracing.run(calls())
    write_lines("sample-openinference.jsonl", batches)
    tell("sample-openinference.jsonl", batches)


SUITES = {
    "official": official,
    "openai-v2": openai_v2,
    "openllmetry": openllmetry,
    "openllmetry-2024": openllmetry_2024,
    "openlit": openlit,
    "openinference": openinference,
}


def main() -> None:
    name = sys.argv[1]
    SUITES[name](stub.start())


if __name__ == "__main__":
    main()
