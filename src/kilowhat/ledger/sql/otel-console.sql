-- title: OpenTelemetry GenAI spans as the Python console exporter prints them
-- kind: records
-- detect: json_exists(record, '$.context.trace_id') AND json_exists(record, '$.context.span_id')
-- detect: AND json_type(record, '$.attributes') = 'OBJECT'
-- keep: first
-- provides: Model calls alone: spans of agents, workflows, tools, retrieval and of answers fetched
-- provides: again repeat the counts of the calls inside them, or have none. Where a call is traced
-- provides: twice, by a client library and by what wraps it, the inner span stands. The region is
-- provides: that of the cloud that serves the model; a program's own region says nothing of where
-- provides: another company runs its models. A stream without counts has the lengths of its texts
-- provides: if they were recorded.
-- provides: The name of the instrumentation is not printed: OpenLIT is known by its own attribute.
WITH documents AS (
  SELECT
    file,
    line,
    record,
    from_json(record, '{
      "context": {"trace_id": "VARCHAR", "span_id": "VARCHAR"},
      "parent_id": "VARCHAR", "kind": "VARCHAR",
      "start_time": "VARCHAR", "end_time": "VARCHAR",
      "status": {"status_code": "VARCHAR"},
      "events": [{"name": "VARCHAR", "attributes": {
        "content": "VARCHAR", "message": "VARCHAR", "gen_ai.event.content": "VARCHAR",
        "gen_ai.prompt": "VARCHAR", "gen_ai.completion": "VARCHAR"
      }}],
      "resource": {"attributes": {
          "service.name": "VARCHAR",
          "openinference.project.name": "VARCHAR",
          "team": "VARCHAR",
          "cloud.provider": "VARCHAR",
          "cloud.region": "VARCHAR",
          "telemetry.sdk.name": "VARCHAR"
      }},
      "attributes": {
        "gen_ai.operation.name": "VARCHAR",
        "llm.request.type": "VARCHAR",
        "openinference.span.kind": "VARCHAR",
        "traceloop.span.kind": "VARCHAR",
        "gen_ai.provider.name": "VARCHAR",
        "gen_ai.system": "VARCHAR",
        "llm.provider": "VARCHAR",
        "llm.system": "VARCHAR",
        "gen_ai.request.model": "VARCHAR",
        "llm.request.model_name": "VARCHAR",
        "gen_ai.response.model": "VARCHAR",
        "llm.response.model_name": "VARCHAR",
        "llm.model_name": "VARCHAR",
        "embedding.model_name": "VARCHAR",
        "llm.invocation_parameters": "VARCHAR",
        "embedding.invocation_parameters": "VARCHAR",
        "gen_ai.response.id": "VARCHAR",
        "gen_ai.usage.input_tokens": "VARCHAR",
        "gen_ai.usage.prompt_tokens": "VARCHAR",
        "llm.usage.prompt_tokens": "VARCHAR",
        "llm.token_count.prompt": "VARCHAR",
        "gen_ai.usage.output_tokens": "VARCHAR",
        "gen_ai.usage.completion_tokens": "VARCHAR",
        "llm.usage.completion_tokens": "VARCHAR",
        "llm.token_count.completion": "VARCHAR",
        "gen_ai.usage.total_tokens": "VARCHAR",
        "llm.usage.total_tokens": "VARCHAR",
        "llm.token_count.total": "VARCHAR",
        "gen_ai.usage.cache_read.input_tokens": "VARCHAR",
        "gen_ai.usage.cache_read_input_tokens": "VARCHAR",
        "gen_ai.usage.prompt_tokens_details.cached_tokens": "VARCHAR",
        "llm.token_count.prompt_details.cache_read": "VARCHAR",
        "gen_ai.usage.cache_creation.input_tokens": "VARCHAR",
        "gen_ai.usage.cache_write.input_tokens": "VARCHAR",
        "gen_ai.usage.cache_creation_input_tokens": "VARCHAR",
        "gen_ai.usage.prompt_tokens_details.cache_creation_tokens": "VARCHAR",
        "llm.token_count.prompt_details.cache_write": "VARCHAR",
        "gen_ai.usage.reasoning.output_tokens": "VARCHAR",
        "gen_ai.usage.reasoning_tokens": "VARCHAR",
        "llm.usage.reasoning_tokens": "VARCHAR",
        "gen_ai.usage.completion_tokens_details.reasoning_tokens": "VARCHAR",
        "llm.token_count.completion_details.reasoning": "VARCHAR",
        "openai.response.service_tier": "VARCHAR",
        "gen_ai.openai.response.service_tier": "VARCHAR",
        "anthropic.response.service_tier": "VARCHAR",
        "openai.request.service_tier": "VARCHAR",
        "gen_ai.openai.request.service_tier": "VARCHAR",
        "gen_ai.response.time_to_first_chunk": "VARCHAR",
        "gen_ai.server.time_to_first_token": "VARCHAR",
        "gen_ai.latency.time_to_first_token": "VARCHAR",
        "gen_ai.usage.cost": "VARCHAR",
        "llm.cost.total": "VARCHAR",
        "user.id": "VARCHAR",
        "enduser.id": "VARCHAR",
        "enduser.pseudo.id": "VARCHAR",
        "gen_ai.user": "VARCHAR",
        "llm.user": "VARCHAR",
        "gen_ai.request.user": "VARCHAR",
        "traceloop.association.properties.user_id": "VARCHAR",
        "team": "VARCHAR",
        "traceloop.association.properties.team": "VARCHAR",
        "server.address": "VARCHAR",
        "gen_ai.openai.api_base": "VARCHAR",
        "aws.region": "VARCHAR",
        "cloud.region": "VARCHAR",
        "service.name": "VARCHAR",
        "telemetry.sdk.name": "VARCHAR",
        "error.type": "VARCHAR",
        "gen_ai.request.stream": "VARCHAR",
        "gen_ai.response.image": "VARCHAR",
        "gen_ai.system_instructions": "VARCHAR",
        "gen_ai.input.messages": "VARCHAR",
        "gen_ai.output.messages": "VARCHAR"
      }
    }') AS span
  FROM raw
),
told AS (
  SELECT
    file,
    line,
    record,
    NULL::VARCHAR AS scope,
    lower(replace(span.context.trace_id, '0x', '')) AS trace_id,
    lower(replace(span.context.span_id, '0x', '')) AS span_id,
    lower(replace(span.parent_id, '0x', '')) AS parent_id,
    span.kind = 'SpanKind.SERVER' AS is_server,
    span.status.status_code = 'ERROR' AS is_error,
    moment(span.start_time) AS ts_start,
    moment(span.end_time) AS ts_end,
    (epoch_us(ts_end) - epoch_us(ts_start)) / 1e6 AS latency_s,
    span.events AS events,
    span.resource.attributes."service.name" AS service,
    span.resource.attributes."openinference.project.name" AS phoenix_project,
    span.resource.attributes."team" AS team,
    span.resource.attributes."cloud.provider" AS cloud,
    span.resource.attributes."cloud.region" AS cloud_region,
    span.resource.attributes."telemetry.sdk.name" AS library,
    span.attributes."gen_ai.operation.name" AS operation_said,
    span.attributes."llm.request.type" AS request_type,
    span.attributes."openinference.span.kind" AS inference_kind,
    span.attributes."traceloop.span.kind" AS loop_kind,
    coalesce(
      span.attributes."gen_ai.provider.name",
      span.attributes."gen_ai.system",
      span.attributes."llm.provider",
      span.attributes."llm.system"
    ) AS provider_said,
    coalesce(
      span.attributes."gen_ai.request.model",
      span.attributes."llm.request.model_name"
    ) AS asked,
    coalesce(
      span.attributes."gen_ai.response.model",
      span.attributes."llm.response.model_name",
      span.attributes."llm.model_name",
      span.attributes."embedding.model_name"
    ) AS answered,
    coalesce(
      span.attributes."llm.invocation_parameters",
      span.attributes."embedding.invocation_parameters"
    ) AS parameters,
    span.attributes."gen_ai.response.id" AS response_id,
    coalesce(
      span.attributes."gen_ai.usage.input_tokens",
      span.attributes."gen_ai.usage.prompt_tokens",
      span.attributes."llm.usage.prompt_tokens",
      span.attributes."llm.token_count.prompt"
    ) AS input_said,
    coalesce(
      span.attributes."gen_ai.usage.output_tokens",
      span.attributes."gen_ai.usage.completion_tokens",
      span.attributes."llm.usage.completion_tokens",
      span.attributes."llm.token_count.completion"
    ) AS output_said,
    coalesce(
      span.attributes."gen_ai.usage.total_tokens",
      span.attributes."llm.usage.total_tokens",
      span.attributes."llm.token_count.total"
    ) AS total_said,
    coalesce(
      span.attributes."gen_ai.usage.cache_read.input_tokens",
      span.attributes."gen_ai.usage.cache_read_input_tokens",
      span.attributes."gen_ai.usage.prompt_tokens_details.cached_tokens",
      span.attributes."llm.token_count.prompt_details.cache_read"
    ) AS read_said,
    coalesce(
      span.attributes."gen_ai.usage.cache_creation.input_tokens",
      span.attributes."gen_ai.usage.cache_write.input_tokens",
      span.attributes."gen_ai.usage.cache_creation_input_tokens",
      span.attributes."gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
      span.attributes."llm.token_count.prompt_details.cache_write"
    ) AS written_said,
    coalesce(
      span.attributes."gen_ai.usage.reasoning.output_tokens",
      span.attributes."gen_ai.usage.reasoning_tokens",
      span.attributes."llm.usage.reasoning_tokens",
      span.attributes."gen_ai.usage.completion_tokens_details.reasoning_tokens",
      span.attributes."llm.token_count.completion_details.reasoning"
    ) AS thought_said,
    coalesce(
      span.attributes."openai.response.service_tier",
      span.attributes."gen_ai.openai.response.service_tier",
      span.attributes."anthropic.response.service_tier",
      span.attributes."openai.request.service_tier",
      span.attributes."gen_ai.openai.request.service_tier"
    ) AS tier,
    coalesce(
      span.attributes."gen_ai.response.time_to_first_chunk",
      span.attributes."gen_ai.server.time_to_first_token",
      span.attributes."gen_ai.latency.time_to_first_token"
    ) AS first_chunk,
    coalesce(
      span.attributes."gen_ai.usage.cost",
      span.attributes."llm.cost.total"
    ) AS cost_said,
    coalesce(
      span.attributes."user.id",
      span.attributes."enduser.id",
      span.attributes."enduser.pseudo.id",
      span.attributes."gen_ai.user",
      span.attributes."llm.user",
      span.attributes."gen_ai.request.user",
      span.attributes."traceloop.association.properties.user_id"
    ) AS person,
    coalesce(
      span.attributes."team",
      span.attributes."traceloop.association.properties.team"
    ) AS own_team,
    coalesce(
      span.attributes."server.address",
      span.attributes."gen_ai.openai.api_base"
    ) AS address,
    coalesce(
      span.attributes."aws.region",
      span.attributes."cloud.region"
    ) AS own_region,
    span.attributes."service.name" AS own_service,
    span.attributes."telemetry.sdk.name" AS own_library,
    span.attributes."error.type" AS failure,
    span.attributes."gen_ai.request.stream" AS is_stream,
    span.attributes."gen_ai.response.image" AS images,
    span.attributes."gen_ai.system_instructions" AS system_text,
    span.attributes."gen_ai.input.messages" AS input_text,
    span.attributes."gen_ai.output.messages" AS output_text
  FROM documents
),
-- include: span-amounts
pieces AS (
  SELECT
    *,
    CASE WHEN no_input OR no_output THEN list_filter([
      {'is_input': TRUE, 'is_plain': FALSE, 'content': input_text},
      {'is_input': TRUE, 'is_plain': FALSE, 'content': system_text},
      {'is_input': FALSE, 'is_plain': FALSE, 'content': output_text}
    ] || coalesce([
      {
        'is_input': NOT regexp_matches(name, 'completion|output'),
        'is_plain': TRUE,
        'content': json_extract_string(record, '$.attributes."' || name || '"')
      }
      FOR name IN json_keys(record, '$.attributes')
      IF regexp_full_match(name, concat_ws(
        '|',
        'gen_ai[.](prompt|completion)([.]\d+[.]content)?',
        'embedding[.]embeddings[.]\d+[.]embedding[.]text',
        'llm[.](in|out)put_messages[.]\d+[.]message[.](content|contents[.]\d+[.].*[.]text)'
      ))
    ], []) || coalesce([
      {
        'is_input': event.name NOT IN ('gen_ai.choice', 'gen_ai.content.completion'),
        'is_plain': FALSE,
        'content': coalesce(
          event.attributes.content,
          event.attributes.message,
          event.attributes."gen_ai.event.content",
          event.attributes."gen_ai.prompt",
          event.attributes."gen_ai.completion"
        )
      }
      FOR event IN events
      IF regexp_full_match(event.name, 'gen_ai.(choice|content.*|[a-z]+.message)')
    ], []), lambda piece: piece.content <> '') END AS pieces
  FROM counted
),
-- include: spans
