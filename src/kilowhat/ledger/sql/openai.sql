-- title: OpenAI answers, one a record
-- kind: records
-- detect: (json_exists(record, '$.usage.prompt_tokens')
-- detect: OR json_exists(record, '$.usage.input_tokens_details')
-- detect: OR json_extract_string(record, '$.usage.type') IN ('tokens', 'duration')
-- detect: OR json_extract_string(record, '$.object')
-- detect: IN ('chat.completion', 'chat.completion.chunk', 'text_completion', 'response')
-- detect: OR (json_exists(record, '$.created') AND (json_exists(record, '$.data[0].b64_json')
-- detect: OR json_exists(record, '$.data[0].revised_prompt')))
-- detect: OR (json_extract_string(record, '$.type') LIKE 'response.%'
-- detect: AND json_extract_string(record, '$.response.object') = 'response')
-- detect: OR (json_exists(record, '$.custom_id') AND json_exists(record, '$.response')))
-- detect: AND NOT json_exists(record, '$.timings') AND NOT regexp_matches(
-- detect: coalesce(json_extract_string(record, '$.system_fingerprint'), ''), '^b[0-9]+-')
-- keep: last
-- provides: Input includes cached tokens and output includes reasoning.
-- provides: A stream logged without usage has no tokens. Embeddings and transcriptions have no
-- provides: time; images and transcriptions do not name their model. A line of a batch that
-- provides: failed or expired ran no model and is left out. Who served a model of another maker
-- provides: than OpenAI is not said.
WITH lines AS (
  SELECT
    file,
    line,
    record,
    from_json(
      record, '{"custom_id": "VARCHAR", "type": "VARCHAR", "response": "JSON"}'
    ) AS outer_part
  FROM raw
),
-- kept, or each condition further on would parse every record again
bodies AS MATERIALIZED (
  SELECT
    file,
    line,
    outer_part.custom_id IS NOT NULL AS batched,
    from_json(
      CASE
        WHEN outer_part.custom_id IS NOT NULL THEN outer_part.response -> '$.body'
        WHEN outer_part.response IS NULL THEN record
        WHEN outer_part.type IN ('response.completed', 'response.incomplete', 'response.failed')
          THEN outer_part.response
      END,
      '{
        "id": "VARCHAR", "object": "VARCHAR", "created": "VARCHAR", "created_at": "VARCHAR",
        "completed_at": "VARCHAR", "model": "VARCHAR", "provider": "VARCHAR", "status": "VARCHAR",
        "service_tier": "VARCHAR", "user": "VARCHAR", "data": "JSON",
        "prompt_filter_results": "JSON", "choices": [{"finish_reason": "VARCHAR"}],
        "usage": {
          "type": "VARCHAR", "seconds": "VARCHAR", "cost": "VARCHAR", "total_tokens": "VARCHAR",
          "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
          "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
          "prompt_cache_hit_tokens": "VARCHAR",
          "prompt_tokens_details": {"cached_tokens": "VARCHAR", "cache_write_tokens": "VARCHAR"},
          "completion_tokens_details": {"reasoning_tokens": "VARCHAR"},
          "input_tokens_details": {"cached_tokens": "VARCHAR", "cache_write_tokens": "VARCHAR"},
          "output_tokens_details": {"reasoning_tokens": "VARCHAR"}
        }
      }'
    ) AS body
  FROM lines
),
calls AS (
  SELECT
    file,
    line,
    batched,
    body,
    body.usage AS usage,
    coalesce(body.usage.prompt_tokens, body.usage.input_tokens) AS given,
    coalesce(body.usage.completion_tokens, body.usage.output_tokens) AS generated,
    coalesce(
      body.usage.completion_tokens_details.reasoning_tokens,
      body.usage.output_tokens_details.reasoning_tokens
    ) AS thought,
    CASE
      WHEN body.usage.type IN ('tokens', 'duration') THEN 'audio'
      WHEN body.object IN ('chat.completion', 'chat.completion.chunk', 'response') THEN 'chat'
      WHEN body.object = 'text_completion' THEN 'text_completion'
      WHEN body.object = 'list' THEN 'embeddings'
      WHEN body.object IS NULL AND body.created IS NOT NULL AND body.data IS NOT NULL
        THEN 'image_generation'
    END AS operation
  FROM bodies
)
SELECT
  file,
  line,
  moment_s(coalesce(body.created, body.created_at)) AS ts_start,
  moment_s(body.completed_at) AS ts_end,
  body.id AS source_id,
  CASE
    WHEN body.provider IS NOT NULL THEN lower(body.provider)
    WHEN body.prompt_filter_results IS NOT NULL THEN 'azure' -- only Azure adds its filters' verdict
    WHEN regexp_matches(
      body.model,
      '^(ft:)?(gpt-[3-9]|gpt-(image|audio|realtime)|chatgpt-|o[134](-|$)|text-embedding-[3a]'
      || '|dall-e-|whisper-1$|tts-1|codex-|sora-)'
    ) THEN 'openai' -- the maker's own names; open weights (gpt-oss) may be served by anyone
  END AS provider,
  body.model AS model_served,
  CASE WHEN batched THEN 'batch' ELSE body.service_tier END AS service_tier,
  operation,
  body.user AS "user",
  whole(given) AS input_total,
  whole(
    coalesce(
      usage.prompt_tokens_details.cached_tokens,
      usage.input_tokens_details.cached_tokens,
      usage.prompt_cache_hit_tokens -- DeepSeek's name
    )
  ) AS cache_read,
  whole(
    coalesce(
      usage.prompt_tokens_details.cache_write_tokens,
      usage.input_tokens_details.cache_write_tokens
    )
  ) AS cache_write,
  -- xAI counts reasoning beside the completion: its total then is the sum of all three
  CASE
    WHEN try_cast(thought AS DOUBLE) > 0
      AND try_cast(usage.total_tokens AS DOUBLE)
        = try_cast(given AS DOUBLE) + try_cast(generated AS DOUBLE) + try_cast(thought AS DOUBLE)
      THEN whole(try_cast(generated AS DOUBLE) + try_cast(thought AS DOUBLE))
    ELSE whole(generated)
  END AS output_total,
  whole(thought) AS reasoning,
  CASE
    WHEN operation = 'image_generation' THEN json_array_length(body.data)::BIGINT
  END AS images_out,
  CASE WHEN usage.type = 'duration' THEN number(usage.seconds) END AS audio_in_s,
  number(usage.cost) AS cost,
  CASE WHEN body.status = 'failed' THEN 'error' END AS status
FROM calls
WHERE
  (
    operation IS NOT NULL
    OR usage.prompt_tokens IS NOT NULL
    OR usage.input_tokens_details IS NOT NULL
  )
  AND coalesce(body.status, 'completed') NOT IN ('queued', 'in_progress')
  -- of a stream's chunks, those that end it: the one that stops and the one with the usage
  AND (
    coalesce(body.object, '') <> 'chat.completion.chunk'
    OR usage IS NOT NULL
    OR body.choices[1].finish_reason IS NOT NULL
  )
