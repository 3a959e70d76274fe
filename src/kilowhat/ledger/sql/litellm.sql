-- title: LiteLLM's table of spend (LiteLLM_SpendLogs)
-- kind: table
-- columns: request_id, call_type, spend, total_tokens, prompt_tokens, completion_tokens,
-- columns: startTime, endTime, request_duration_ms, model, model_group, custom_llm_provider,
-- columns: api_base, user, metadata, cache_hit, team_id, end_user, status
-- detect: columns request_id, call_type, spend, prompt_tokens, completion_tokens, startTime,
-- detect: endTime, model, metadata, cache_hit
-- provides: Prompt tokens include what was read from a provider's cache and written to it, for
-- provides: Anthropic's models too (LiteLLM adds them); cached and reasoning tokens are taken from
-- provides: `metadata`. Answers of LiteLLM's own cache called no model and are left out, and so are
-- provides: requests that are no inference (files, vector stores, reading a response) or that
-- provides: failed before a model was known. The model is the one that LiteLLM called.
SELECT
  moment("startTime") AS ts_start,
  moment("endTime") AS ts_end,
  request_id AS source_id,
  lower(nullif(provider_name, '')) AS provider,
  coalesce(
    nullif(known ->> '$.original_model_group', ''), nullif(CAST(model_group AS VARCHAR), '')
  ) AS model_requested,
  nullif(CAST(model AS VARCHAR), '') AS model_served,
  CASE WHEN geo = 'us' AND provider_name = 'anthropic' THEN 'usa' END AS zone,
  -- the address called names the region, but for models that several regions share
  CASE
    WHEN regexp_matches(model, '(^|/)(global|us|eu|apac|jp|au|us-gov)[.]') THEN NULL
    WHEN address LIKE 'https://bedrock-runtime.%.amazonaws.com%'
      THEN 'aws:' || split_part(split_part(address, '.amazonaws.', 1), 'bedrock-runtime.', 2)
    WHEN address LIKE 'https://%-aiplatform.googleapis.com%'
      THEN 'gcp:' || split_part(split_part(address, '-aiplatform.', 1), 'https://', 2)
  END AS region,
  coalesce(
    nullif(known ->> '$.user_api_key_project_alias', ''),
    nullif(known ->> '$.user_api_key_project_id', '')
  ) AS project,
  coalesce(
    nullif(known ->> '$.user_api_key_team_alias', ''),
    nullif(CAST(team_id AS VARCHAR), '')
  ) AS team,
  coalesce(nullif(CAST("user" AS VARCHAR), ''), nullif(CAST(end_user AS VARCHAR), '')) AS "user",
  CASE WHEN batched THEN 'batch' ELSE tier END AS service_tier,
  operation,
  whole(prompt_tokens) AS input_total,
  whole(CASE WHEN damaged THEN 'unreadable' ELSE cached END) AS cache_read,
  whole(CASE WHEN damaged THEN 'unreadable' ELSE written END) AS cache_write,
  whole(completion_tokens) AS output_total,
  whole(CASE WHEN damaged THEN 'unreadable' ELSE thought END) AS reasoning,
  whole(usage ->> '$.output_image_count') AS images_out,
  -- the cost of a batch is one row for all its requests
  CASE WHEN batched THEN whole(known ->> '$.batch_successful_requests') ELSE 1 END AS n_requests,
  CASE
    WHEN number(request_duration_ms) BETWEEN 0 AND 1e9 THEN number(request_duration_ms) / 1000
  END AS latency_s,
  number(spend) AS cost,
  CASE WHEN CAST(status AS VARCHAR) = 'failure' THEN 'error' END AS status
FROM (
  SELECT
    *,
    coalesce(
      usage ->> '$.prompt_tokens_details.cached_tokens',
      usage ->> '$.cache_read_input_tokens',
      more ->> '$.prompt_tokens_details.cached_tokens',
      more ->> '$.cache_read_input_tokens'
    ) AS cached,
    coalesce(
      usage ->> '$.prompt_tokens_details.cache_write_tokens',
      usage ->> '$.cache_creation_input_tokens',
      more ->> '$.prompt_tokens_details.cache_write_tokens',
      more ->> '$.cache_creation_input_tokens'
    ) AS written,
    coalesce(
      usage ->> '$.completion_tokens_details.reasoning_tokens',
      more ->> '$.completion_tokens_details.reasoning_tokens'
    ) AS thought,
    coalesce(
      usage ->> '$.service_tier',
      more ->> '$.service_tier',
      known ->> '$.cost_breakdown.service_tier'
    ) AS tier,
    coalesce(usage ->> '$.inference_geo', more ->> '$.inference_geo') AS geo
  FROM (
    SELECT
      *,
      CAST(metadata AS VARCHAR) <> '' AND known IS NULL AS damaged,
      known -> '$.usage_object' AS usage,
      known -> '$.additional_usage_values' AS more,
      CASE
        WHEN call_type IN (
          'completion', 'acompletion', 'anthropic_messages', 'aanthropic_messages', 'responses',
          'aresponses', 'generate_content', 'agenerate_content', 'generate_content_stream',
          'agenerate_content_stream', '_arealtime', '_aresponses_websocket', 'retrieve_batch',
          'aretrieve_batch', 'arun_thread', 'run_thread', 'arun_thread_stream', 'run_thread_stream'
        ) THEN 'chat'
        WHEN call_type IN ('text_completion', 'atext_completion') THEN 'text_completion'
        WHEN call_type IN ('embedding', 'aembedding') THEN 'embeddings'
        WHEN call_type IN (
          'image_generation', 'aimage_generation', 'image_edit', 'aimage_edit', 'image_variation',
          'aimage_variation'
        ) THEN 'image_generation'
        WHEN call_type IN (
          'create_video', 'acreate_video', 'video_generation', 'avideo_generation', 'video_remix',
          'avideo_remix', 'video_edit', 'avideo_edit', 'video_extension', 'avideo_extension'
        ) THEN 'video_generation'
        WHEN call_type IN ('transcription', 'atranscription', 'speech', 'aspeech') THEN 'audio'
        WHEN call_type IN ('rerank', 'arerank') THEN 'rerank'
        WHEN call_type IN ('moderation', 'amoderation') THEN 'moderation'
        WHEN call_type IN ('ocr', 'aocr') THEN 'ocr'
      END AS operation,
      coalesce(call_type, '') IN ('retrieve_batch', 'aretrieve_batch') AS batched
    FROM (
      SELECT
        *,
        TRY(json_extract(metadata, '$')) AS known,
        CAST(custom_llm_provider AS VARCHAR) AS provider_name,
        CAST(api_base AS VARCHAR) AS address
      FROM raw
    )
  )
)
WHERE
  lower(coalesce(CAST(cache_hit AS VARCHAR), '')) <> 'true'
  AND (
    coalesce(CAST(total_tokens AS VARCHAR), '0') <> '0'
    OR (
      (operation IS NOT NULL AND NOT batched OR call_type = 'pass_through_endpoint')
      AND coalesce(model, '') NOT IN ('', 'unknown-model')
    )
  )
