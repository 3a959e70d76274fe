-- title: LiteLLM's payloads for loggers (StandardLoggingPayload)
-- kind: records
-- detect: json_exists(record, '$.saved_cache_cost') AND json_exists(record, '$.call_type')
-- keep: last
-- provides: Prompt tokens include what was read from a provider's cache and written to it, for
-- provides: Anthropic's models too (LiteLLM adds them). Answers of LiteLLM's own cache called no
-- provides: model and are left out, and so are requests that are no inference (files, vector
-- provides: stores, reading a response) or that failed before a model was known. The model is the
-- provides: one that LiteLLM called.
WITH payloads AS (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "id": "VARCHAR", "call_type": "VARCHAR", "stream": "VARCHAR", "status": "VARCHAR",
        "custom_llm_provider": "VARCHAR", "model": "VARCHAR", "model_group": "VARCHAR",
        "api_base": "VARCHAR", "cache_hit": "VARCHAR", "end_user": "VARCHAR",
        "startTime": "VARCHAR", "endTime": "VARCHAR", "completionStartTime": "VARCHAR",
        "total_tokens": "VARCHAR", "prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
        "response_cost": "VARCHAR",
        "cost_breakdown": {"service_tier": "VARCHAR"},
        "hidden_params": {"batch_successful_requests": "VARCHAR"},
        "metadata": {
          "user_api_key_user_id": "VARCHAR", "user_api_key_team_id": "VARCHAR",
          "user_api_key_team_alias": "VARCHAR", "user_api_key_project_id": "VARCHAR",
          "user_api_key_project_alias": "VARCHAR", "usage_object": "JSON"
        },
        "response": {"service_tier": "VARCHAR", "usage": "JSON"}
      }'
    ) AS call
  FROM raw
),
-- kept, or each condition further on would parse every record again
calls AS MATERIALIZED (
  SELECT
    file,
    line,
    call,
    from_json(
      coalesce(call.metadata.usage_object, call.response.usage),
      '{
        "prompt_tokens_details": {"cached_tokens": "VARCHAR", "cache_write_tokens": "VARCHAR"},
        "completion_tokens_details": {"reasoning_tokens": "VARCHAR"},
        "cache_read_input_tokens": "VARCHAR", "cache_creation_input_tokens": "VARCHAR",
        "service_tier": "VARCHAR", "inference_geo": "VARCHAR", "output_image_count": "VARCHAR"
      }'
    ) AS usage,
    coalesce(call.call_type, '') IN ('retrieve_batch', 'aretrieve_batch') AS batched,
    try_cast(call.startTime AS DOUBLE) AS began_s,
    try_cast(call.completionStartTime AS DOUBLE) AS first_s,
    try_cast(call.endTime AS DOUBLE) AS ended_s,
    CASE
      WHEN call.call_type IN (
        'completion', 'acompletion', 'anthropic_messages', 'aanthropic_messages', 'responses',
        'aresponses', 'generate_content', 'agenerate_content', 'generate_content_stream',
        'agenerate_content_stream', '_arealtime', '_aresponses_websocket', 'retrieve_batch',
        'aretrieve_batch', 'arun_thread', 'run_thread', 'arun_thread_stream', 'run_thread_stream'
      ) THEN 'chat'
      WHEN call.call_type IN ('text_completion', 'atext_completion') THEN 'text_completion'
      WHEN call.call_type IN ('embedding', 'aembedding') THEN 'embeddings'
      WHEN call.call_type IN (
        'image_generation', 'aimage_generation', 'image_edit', 'aimage_edit', 'image_variation',
        'aimage_variation'
      ) THEN 'image_generation'
      WHEN call.call_type IN (
        'create_video', 'acreate_video', 'video_generation', 'avideo_generation', 'video_remix',
        'avideo_remix', 'video_edit', 'avideo_edit', 'video_extension', 'avideo_extension'
      ) THEN 'video_generation'
      WHEN call.call_type IN ('transcription', 'atranscription', 'speech', 'aspeech') THEN 'audio'
      WHEN call.call_type IN ('rerank', 'arerank') THEN 'rerank'
      WHEN call.call_type IN ('moderation', 'amoderation') THEN 'moderation'
      WHEN call.call_type IN ('ocr', 'aocr') THEN 'ocr'
    END AS operation
  FROM payloads
)
SELECT
  file,
  line,
  moment_s(call.startTime) AS ts_start,
  moment_s(call.endTime) AS ts_end,
  call.id AS source_id,
  lower(nullif(call.custom_llm_provider, '')) AS provider,
  nullif(call.model_group, '') AS model_requested,
  nullif(call.model, '') AS model_served,
  CASE
    WHEN usage.inference_geo = 'us' AND call.custom_llm_provider = 'anthropic' THEN 'usa'
  END AS zone,
  -- the address called names the region, but for models that several regions share
  CASE
    WHEN regexp_matches(call.model, '(^|/)(global|us|eu|apac|jp|au|us-gov)[.]') THEN NULL
    WHEN call.api_base LIKE 'https://bedrock-runtime.%.amazonaws.com%'
      THEN 'aws:' || split_part(split_part(call.api_base, '.amazonaws.', 1), 'bedrock-runtime.', 2)
    WHEN call.api_base LIKE 'https://%-aiplatform.googleapis.com%'
      THEN 'gcp:' || split_part(split_part(call.api_base, '-aiplatform.', 1), 'https://', 2)
  END AS region,
  coalesce(
    nullif(call.metadata.user_api_key_project_alias, ''),
    nullif(call.metadata.user_api_key_project_id, '')
  ) AS project,
  coalesce(
    nullif(call.metadata.user_api_key_team_alias, ''),
    nullif(call.metadata.user_api_key_team_id, '')
  ) AS team,
  coalesce(
    nullif(call.metadata.user_api_key_user_id, ''), nullif(call.end_user, '')
  ) AS "user",
  CASE
    WHEN batched THEN 'batch'
    ELSE coalesce(usage.service_tier, call.cost_breakdown.service_tier, call.response.service_tier)
  END AS service_tier,
  operation,
  whole(call.prompt_tokens) AS input_total,
  whole(
    coalesce(usage.prompt_tokens_details.cached_tokens, usage.cache_read_input_tokens)
  ) AS cache_read,
  whole(
    coalesce(usage.prompt_tokens_details.cache_write_tokens, usage.cache_creation_input_tokens)
  ) AS cache_write,
  whole(call.completion_tokens) AS output_total,
  whole(usage.completion_tokens_details.reasoning_tokens) AS reasoning,
  whole(usage.output_image_count) AS images_out,
  -- the cost of a batch is one record for all its requests
  CASE
    WHEN batched THEN whole(call.hidden_params.batch_successful_requests)
    ELSE 1
  END AS n_requests,
  CASE WHEN ended_s - began_s BETWEEN 0 AND 1e9 THEN ended_s - began_s END AS latency_s,
  -- without a stream the first token is said to have come with the last
  CASE
    WHEN call.stream = 'true' AND first_s - began_s BETWEEN 0 AND 1e9 THEN first_s - began_s
  END AS ttft_s,
  number(call.response_cost) AS cost,
  CASE WHEN call.status = 'failure' THEN 'error' END AS status
FROM calls
WHERE
  coalesce(call.cache_hit, '') <> 'true'
  AND (
    coalesce(call.total_tokens, '0') <> '0'
    OR (
      (operation IS NOT NULL AND NOT batched OR call.call_type = 'pass_through_endpoint')
      AND coalesce(call.model, '') NOT IN ('', 'unknown-model')
    )
  )
