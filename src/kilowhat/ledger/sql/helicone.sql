-- title: Helicone requests
-- kind: table
-- columns: request_id, request_created_at, response_created_at, request_path, request_model,
-- columns: response_model, model_override, model, request_user_id, provider, response_status,
-- columns: status, delay_ms, time_to_first_token, total_tokens, prompt_tokens, completion_tokens,
-- columns: prompt_cache_read_tokens, prompt_cache_write_tokens, reasoning_tokens, costUSD, cost_usd
-- detect: columns request_id, request_created_at, prompt_tokens, completion_tokens
-- keep: last
-- provides: Input is what the total leaves beside the output, as the prompt tokens may or may not
-- provides: hold those read from a cache. Where the model runs is not said: `country_code` is not
-- provides: read. Answers of Helicone's own cache cannot be told from calls.
SELECT
  moment(request_created_at) AS ts_start,
  moment(response_created_at) AS ts_end,
  request_id AS source_id,
  lower(nullif(CAST(provider AS VARCHAR), '')) AS provider,
  coalesce(
    nullif(CAST(request_model AS VARCHAR), ''),
    nullif(CAST(model AS VARCHAR), '')
  ) AS model_requested,
  coalesce(
    nullif(CAST(response_model AS VARCHAR), ''),
    nullif(CAST(model_override AS VARCHAR), '')
  ) AS model_served,
  nullif(CAST(request_user_id AS VARCHAR), '') AS "user",
  CASE
    WHEN path LIKE '%/embeddings%' THEN 'embeddings'
    WHEN path LIKE '%/images/%' THEN 'image_generation'
    WHEN path LIKE '%/audio/%' THEN 'audio'
    WHEN path LIKE '%/chat/completions%' OR path LIKE '%/messages%'
      OR path LIKE '%/responses%' OR path LIKE '%enerateContent%' THEN 'chat'
    WHEN path LIKE '%/completions%' THEN 'text_completion'
  END AS operation,
  CASE
    WHEN fresh >= 0 AND generated >= 0 AND total >= fresh + generated
      THEN whole(total - generated)
    WHEN fresh >= 0 AND cached > fresh THEN whole(fresh + cached)
    ELSE whole(prompt_tokens)
  END AS input_total,
  whole(prompt_cache_read_tokens) AS cache_read,
  whole(prompt_cache_write_tokens) AS cache_write,
  whole(completion_tokens) AS output_total,
  whole(reasoning_tokens) AS reasoning,
  CASE WHEN number(delay_ms) BETWEEN 0 AND 1e12 THEN number(delay_ms) / 1000 END AS latency_s,
  CASE
    WHEN number(time_to_first_token) BETWEEN 0 AND 1e12 THEN number(time_to_first_token) / 1000
  END AS ttft_s,
  coalesce(number("costUSD"), number(cost_usd)) AS cost,
  CASE WHEN answered IS NOT NULL AND NOT answered LIKE '2%' THEN 'error' END AS status
FROM (
  SELECT
    *,
    CAST(request_path AS VARCHAR) AS path,
    number(total_tokens) AS total,
    number(prompt_tokens) AS fresh,
    number(completion_tokens) AS generated,
    coalesce(number(prompt_cache_read_tokens), 0) + coalesce(number(prompt_cache_write_tokens), 0)
      AS cached,
    coalesce(CAST(response_status AS VARCHAR), CAST(status AS VARCHAR)) AS answered
  FROM raw
)
