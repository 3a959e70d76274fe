-- title: OpenTelemetry GenAI spans (OTLP)
-- kind: records
-- detect: json_type(record, '$.resourceSpans') = 'ARRAY'
-- keep: first
-- provides: Model calls alone: spans of agents, workflows, tools, retrieval and of answers fetched
-- provides: again repeat the counts of the calls inside them, or have none. Where a call is traced
-- provides: twice, by a client library and by what wraps it, the inner span stands. The region is
-- provides: that of the cloud that serves the model; a program's own region says nothing of where
-- provides: another company runs its models. A stream without counts has the lengths of its texts
-- provides: if they were recorded.
WITH documents AS (
  SELECT
    file,
    line,
    from_json(record, '{"resourceSpans": [{
      "resource": {"attributes": [{"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}]},
      "scopeSpans": [{"scope": {"name": "VARCHAR"}, "spans": [{
        "traceId": "VARCHAR", "spanId": "VARCHAR", "parentSpanId": "VARCHAR", "kind": "VARCHAR",
        "startTimeUnixNano": "VARCHAR", "endTimeUnixNano": "VARCHAR",
        "status": {"code": "VARCHAR"},
        "attributes": [{"key": "VARCHAR", "value": {
          "stringValue": "VARCHAR", "intValue": "VARCHAR", "doubleValue": "VARCHAR",
          "boolValue": "VARCHAR", "arrayValue": "VARCHAR"
        }}],
        "events": [{"name": "VARCHAR", "attributes": [
          {"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}
        ]}]
      }]}]
    }]}').resourceSpans AS resources
  FROM raw
),
origins AS (
  SELECT
    file,
    line,
    origin.scopeSpans AS scopes,
    [field.key FOR field IN origin.resource.attributes] AS names,
    [field.value.stringValue FOR field IN origin.resource.attributes] AS texts
  FROM (SELECT file, line, unnest(resources) AS origin FROM documents)
),
scoped AS (
  SELECT
    file,
    line,
    unnest(scopes) AS scoped,
    texts[list_position(names, 'service.name')] AS service,
    texts[list_position(names, 'openinference.project.name')] AS phoenix_project,
    texts[list_position(names, 'team')] AS team,
    texts[list_position(names, 'cloud.provider')] AS cloud,
    texts[list_position(names, 'cloud.region')] AS cloud_region,
    texts[list_position(names, 'telemetry.sdk.name')] AS library
  FROM origins
),
spans AS (
  SELECT * EXCLUDE (scoped), scoped.scope.name AS scope, unnest(scoped.spans) AS span
  FROM scoped
),
listed AS (
  SELECT
    * EXCLUDE (span),
    lower(span.traceId) AS trace_id,
    lower(span.spanId) AS span_id,
    lower(span.parentSpanId) AS parent_id,
    span.kind IN ('2', 'SPAN_KIND_SERVER') AS is_server,
    span.status.code IN ('2', 'STATUS_CODE_ERROR') AS is_error,
    nullif(span.startTimeUnixNano, '0') AS began,
    nullif(span.endTimeUnixNano, '0') AS ended,
    [field.key FOR field IN span.attributes] AS names,
    [
      coalesce(
        field.value.stringValue,
        field.value.intValue,
        field.value.doubleValue,
        field.value.boolValue,
        field.value.arrayValue
      )
      FOR field IN span.attributes
    ] AS texts,
    span.events AS events
  FROM spans
),
told AS (
  SELECT
    * EXCLUDE (began, ended),
    moment_ns(began) AS ts_start,
    moment_ns(ended) AS ts_end,
    (try_cast(ended AS BIGINT)::HUGEINT - try_cast(began AS BIGINT)) / 1e9 AS latency_s,
    texts[list_position(names, 'gen_ai.operation.name')] AS operation_said,
    texts[list_position(names, 'llm.request.type')] AS request_type,
    texts[list_position(names, 'openinference.span.kind')] AS inference_kind,
    texts[list_position(names, 'traceloop.span.kind')] AS loop_kind,
    coalesce(
      texts[list_position(names, 'gen_ai.provider.name')],
      texts[list_position(names, 'gen_ai.system')],
      texts[list_position(names, 'llm.provider')],
      texts[list_position(names, 'llm.system')]
    ) AS provider_said,
    coalesce(
      texts[list_position(names, 'gen_ai.request.model')],
      texts[list_position(names, 'llm.request.model_name')]
    ) AS asked,
    coalesce(
      texts[list_position(names, 'gen_ai.response.model')],
      texts[list_position(names, 'llm.response.model_name')],
      texts[list_position(names, 'llm.model_name')],
      texts[list_position(names, 'embedding.model_name')]
    ) AS answered,
    coalesce(
      texts[list_position(names, 'llm.invocation_parameters')],
      texts[list_position(names, 'embedding.invocation_parameters')]
    ) AS parameters,
    texts[list_position(names, 'gen_ai.response.id')] AS response_id,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.input_tokens')],
      texts[list_position(names, 'gen_ai.usage.prompt_tokens')],
      texts[list_position(names, 'llm.usage.prompt_tokens')],
      texts[list_position(names, 'llm.token_count.prompt')]
    ) AS input_said,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.output_tokens')],
      texts[list_position(names, 'gen_ai.usage.completion_tokens')],
      texts[list_position(names, 'llm.usage.completion_tokens')],
      texts[list_position(names, 'llm.token_count.completion')]
    ) AS output_said,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.total_tokens')],
      texts[list_position(names, 'llm.usage.total_tokens')],
      texts[list_position(names, 'llm.token_count.total')]
    ) AS total_said,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.cache_read.input_tokens')],
      texts[list_position(names, 'gen_ai.usage.cache_read_input_tokens')],
      texts[list_position(names, 'gen_ai.usage.prompt_tokens_details.cached_tokens')],
      texts[list_position(names, 'llm.token_count.prompt_details.cache_read')]
    ) AS read_said,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.cache_creation.input_tokens')],
      texts[list_position(names, 'gen_ai.usage.cache_write.input_tokens')],
      texts[list_position(names, 'gen_ai.usage.cache_creation_input_tokens')],
      texts[list_position(names, 'gen_ai.usage.prompt_tokens_details.cache_creation_tokens')],
      texts[list_position(names, 'llm.token_count.prompt_details.cache_write')]
    ) AS written_said,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.reasoning.output_tokens')],
      texts[list_position(names, 'gen_ai.usage.reasoning_tokens')],
      texts[list_position(names, 'llm.usage.reasoning_tokens')],
      texts[list_position(names, 'gen_ai.usage.completion_tokens_details.reasoning_tokens')],
      texts[list_position(names, 'llm.token_count.completion_details.reasoning')]
    ) AS thought_said,
    coalesce(
      texts[list_position(names, 'openai.response.service_tier')],
      texts[list_position(names, 'gen_ai.openai.response.service_tier')],
      texts[list_position(names, 'anthropic.response.service_tier')],
      texts[list_position(names, 'openai.request.service_tier')],
      texts[list_position(names, 'gen_ai.openai.request.service_tier')]
    ) AS tier,
    coalesce(
      texts[list_position(names, 'gen_ai.response.time_to_first_chunk')],
      texts[list_position(names, 'gen_ai.server.time_to_first_token')],
      texts[list_position(names, 'gen_ai.latency.time_to_first_token')]
    ) AS first_chunk,
    coalesce(
      texts[list_position(names, 'gen_ai.usage.cost')],
      texts[list_position(names, 'llm.cost.total')]
    ) AS cost_said,
    coalesce(
      texts[list_position(names, 'user.id')],
      texts[list_position(names, 'enduser.id')],
      texts[list_position(names, 'enduser.pseudo.id')],
      texts[list_position(names, 'gen_ai.user')],
      texts[list_position(names, 'llm.user')],
      texts[list_position(names, 'gen_ai.request.user')],
      texts[list_position(names, 'traceloop.association.properties.user_id')]
    ) AS person,
    coalesce(
      texts[list_position(names, 'team')],
      texts[list_position(names, 'traceloop.association.properties.team')]
    ) AS own_team,
    coalesce(
      texts[list_position(names, 'server.address')],
      texts[list_position(names, 'gen_ai.openai.api_base')]
    ) AS address,
    coalesce(
      texts[list_position(names, 'aws.region')],
      texts[list_position(names, 'cloud.region')]
    ) AS own_region,
    texts[list_position(names, 'service.name')] AS own_service,
    texts[list_position(names, 'telemetry.sdk.name')] AS own_library,
    texts[list_position(names, 'error.type')] AS failure,
    texts[list_position(names, 'gen_ai.request.stream')] AS is_stream,
    texts[list_position(names, 'gen_ai.response.image')] AS images,
    texts[list_position(names, 'gen_ai.system_instructions')] AS system_text,
    texts[list_position(names, 'gen_ai.input.messages')] AS input_text,
    texts[list_position(names, 'gen_ai.output.messages')] AS output_text
  FROM listed
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
        'is_input': NOT regexp_matches(names[place], 'completion|output'),
        'is_plain': TRUE,
        'content': texts[place]
      }
      FOR place IN range(1, len(names) + 1)
      IF regexp_full_match(names[place], concat_ws(
        '|',
        'gen_ai[.](prompt|completion)([.]\d+[.]content)?',
        'embedding[.]embeddings[.]\d+[.]embedding[.]text',
        'llm[.](in|out)put_messages[.]\d+[.]message[.](content|contents[.]\d+[.].*[.]text)'
      ))
    ], []) || coalesce(flatten([
      [
        {
          'is_input': event.name NOT IN ('gen_ai.choice', 'gen_ai.content.completion'),
          'is_plain': FALSE,
          'content': field.value.stringValue
        }
        FOR field IN event.attributes
        IF field.key IN (
          'content', 'message', 'gen_ai.event.content', 'gen_ai.prompt', 'gen_ai.completion'
        )
      ]
      FOR event IN events
      IF regexp_full_match(event.name, 'gen_ai.(choice|content.*|[a-z]+.message)')
    ]), []), lambda piece: piece.content <> '') END AS pieces
  FROM counted
),
-- include: spans
