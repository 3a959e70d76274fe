-- title: Vercel AI SDK results and AI Gateway generations or reports
-- kind: records
-- detect: (json_exists(record, '$.usage.inputTokens')
-- detect: AND json_exists(record, '$.response.modelId'))
-- detect: OR json_exists(record, '$.steps[0].usage.inputTokens')
-- detect: OR starts_with(coalesce(json_extract_string(record, '$.data.id'),
-- detect: json_extract_string(record, '$.id')), 'gen_')
-- detect: OR json_exists(record, '$.results[0].request_count')
-- detect: OR json_exists(record, '$.results[0].requestCount')
-- keep: last
-- provides: Each step of a result is a call. Input includes cached tokens, unless there are more of
-- provides: these than of it: then they were counted beside it, and are added. Reports have a row
-- provides: for one key only: by model they have no day, by day no model. Where the model runs is
-- provides: not said.
WITH records AS (
  SELECT
    file,
    line,
    record,
    from_json(record, '{"data": "JSON", "results": ["JSON"], "steps": ["JSON"]}') AS outer_part
  FROM raw
),
items AS (
  SELECT
    file,
    line,
    unnest(
      CASE
        WHEN len(outer_part.steps) > 0 THEN outer_part.steps
        WHEN outer_part.results IS NOT NULL THEN outer_part.results
        ELSE [coalesce(outer_part.data, record)]
      END
    ) AS item
  FROM records
),
parsed AS (
  SELECT
    file,
    line,
    from_json(
      item,
      '{
        "id": "VARCHAR", "model": "JSON", "usage": "JSON", "provider": "VARCHAR",
        "createdAt": "VARCHAR", "created_at": "VARCHAR", "day": "VARCHAR", "hour": "VARCHAR",
        "user": "VARCHAR", "providerName": "VARCHAR", "provider_name": "VARCHAR",
        "promptTokens": "VARCHAR", "native_tokens_prompt": "VARCHAR",
        "inputTokens": "VARCHAR", "input_tokens": "VARCHAR",
        "completionTokens": "VARCHAR", "native_tokens_completion": "VARCHAR",
        "outputTokens": "VARCHAR", "output_tokens": "VARCHAR",
        "cachedTokens": "VARCHAR", "native_tokens_cached": "VARCHAR",
        "cachedInputTokens": "VARCHAR", "cached_input_tokens": "VARCHAR",
        "cacheCreationTokens": "VARCHAR", "native_tokens_cache_creation": "VARCHAR",
        "cacheCreationInputTokens": "VARCHAR", "cache_creation_input_tokens": "VARCHAR",
        "reasoningTokens": "VARCHAR", "native_tokens_reasoning": "VARCHAR",
        "reasoning_tokens": "VARCHAR", "requestCount": "VARCHAR", "request_count": "VARCHAR",
        "totalCost": "VARCHAR", "total_cost": "VARCHAR", "latency": "VARCHAR",
        "generationTime": "VARCHAR", "generation_time": "VARCHAR",
        "response": {"id": "VARCHAR", "timestamp": "VARCHAR", "modelId": "VARCHAR"}
      }'
    ) AS call
  FROM items
),
-- kept, or each condition further on would parse every record again
counted AS MATERIALIZED (
  SELECT
    file,
    line,
    call,
    from_json(
      CASE WHEN json_type(call.usage) = 'OBJECT' THEN call.usage END,
      '{
        "inputTokens": "VARCHAR", "outputTokens": "VARCHAR", "promptTokens": "VARCHAR",
        "completionTokens": "VARCHAR", "cachedInputTokens": "VARCHAR",
        "reasoningTokens": "VARCHAR",
        "inputTokenDetails": {"cacheReadTokens": "VARCHAR", "cacheWriteTokens": "VARCHAR"},
        "outputTokenDetails": {"reasoningTokens": "VARCHAR"}
      }'
    ) AS usage,
    json_type(call.model) = 'OBJECT' AS is_result
  FROM parsed
),
amounts AS (
  SELECT
    *,
    whole(
      coalesce(
        usage.inputTokens, usage.promptTokens, call.promptTokens, call.native_tokens_prompt,
        call.inputTokens, call.input_tokens
      )
    ) AS given,
    whole(
      coalesce(
        usage.outputTokens, usage.completionTokens, call.completionTokens,
        call.native_tokens_completion, call.outputTokens, call.output_tokens
      )
    ) AS generated,
    whole(
      coalesce(
        usage.inputTokenDetails.cacheReadTokens, usage.cachedInputTokens, call.cachedTokens,
        call.native_tokens_cached, call.cachedInputTokens, call.cached_input_tokens
      )
    ) AS cache_read,
    whole(
      coalesce(
        usage.inputTokenDetails.cacheWriteTokens, call.cacheCreationTokens,
        call.native_tokens_cache_creation, call.cacheCreationInputTokens,
        call.cache_creation_input_tokens
      )
    ) AS cache_write,
    whole(
      coalesce(
        usage.outputTokenDetails.reasoningTokens, usage.reasoningTokens, call.reasoningTokens,
        call.native_tokens_reasoning, call.reasoning_tokens
      )
    ) AS reasoning
  FROM counted
)
SELECT
  file,
  line,
  moment(
    coalesce(call.response.timestamp, call.createdAt, call.created_at, call.hour, call.day)
  ) AS ts_start,
  coalesce(call.response.id, call.id) AS source_id,
  nullif(
    lower(
      coalesce(
        call.providerName,
        call.provider_name,
        call.provider,
        CASE WHEN is_result THEN split_part(call.model ->> '$.provider', '.', 1) END
      )
    ),
    'gateway'
  ) AS provider,
  CASE
    WHEN is_result THEN call.model ->> '$.modelId'
    WHEN call.response.modelId IS NULL THEN call.model ->> '$'
  END AS model_requested,
  call.response.modelId AS model_served,
  call.user AS "user",
  'chat' AS operation,
  CASE
    WHEN given >= 0 AND least(cache_read, cache_write, 0) = 0
      AND coalesce(cache_read, 0)::HUGEINT + coalesce(cache_write, 0) > given
      THEN whole(given::HUGEINT + coalesce(cache_read, 0) + coalesce(cache_write, 0))
    ELSE given
  END AS input_total,
  cache_read,
  cache_write,
  CASE
    WHEN generated >= 0 AND reasoning > generated THEN whole(generated::HUGEINT + reasoning)
    ELSE generated
  END AS output_total,
  reasoning,
  CASE
    WHEN coalesce(call.response.id, call.id) IS NOT NULL THEN 1
    ELSE coalesce(whole(coalesce(call.requestCount, call.request_count)), 0) -- 0: not told
  END AS n_requests,
  CASE
    WHEN number(coalesce(call.generationTime, call.generation_time)) BETWEEN 0 AND 1e12
      THEN number(coalesce(call.generationTime, call.generation_time)) / 1000
  END AS latency_s,
  -- the gateway's latency is the time to the first token
  CASE WHEN number(call.latency) BETWEEN 0 AND 1e12 THEN number(call.latency) / 1000 END AS ttft_s,
  number(coalesce(call.totalCost, call.total_cost)) AS cost
FROM amounts
WHERE
  given IS NOT NULL
  OR generated IS NOT NULL
  OR (is_result AND call.response.modelId IS NOT NULL)
