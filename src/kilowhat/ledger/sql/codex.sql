-- title: Codex CLI sessions (rollout files)
-- kind: records
-- detect: json_type(record, '$.payload') = 'OBJECT' AND json_exists(record, '$.timestamp')
-- detect: AND json_extract_string(record, '$.type') IN (
-- detect: 'session_meta', 'turn_context', 'event_msg', 'response_item', 'token_usage_record',
-- detect: 'compacted', 'world_state')
-- provides: One call a row. Older versions write running totals alone: a call is what a total
-- provides: rose by, totals that are repeated count once, and totals that start again are those of
-- provides: the call. What a forked session copies from the one that it goes on from is recognised
-- provides: and counts once. The model is that of the turn. The project is the folder's name. The
-- provides: time is that at which the call ended.
WITH parsed AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "timestamp": "VARCHAR", "type": "VARCHAR",
        "payload": {
          "type": "VARCHAR", "id": "VARCHAR", "model": "VARCHAR", "model_provider": "VARCHAR",
          "cwd": "VARCHAR", "response_id": "VARCHAR",
          "thread_settings": {
            "model": "VARCHAR", "model_provider_id": "VARCHAR", "cwd": "VARCHAR",
            "service_tier": "VARCHAR"
          },
          "usage": {
            "input_tokens": "VARCHAR", "cached_input_tokens": "VARCHAR",
            "cache_write_input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
            "reasoning_output_tokens": "VARCHAR"
          },
          "info": {
            "total_token_usage": {
              "input_tokens": "VARCHAR", "cached_input_tokens": "VARCHAR",
              "cache_write_input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
              "reasoning_output_tokens": "VARCHAR"
            },
            "last_token_usage": {
              "input_tokens": "VARCHAR", "cached_input_tokens": "VARCHAR",
              "cache_write_input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
              "reasoning_output_tokens": "VARCHAR"
            }
          }
        }
      }'
    ) AS entry
  FROM raw
),
entries AS (
  SELECT
    file,
    line,
    entry.timestamp AS timestamp,
    CASE
      WHEN entry.type = 'token_usage_record' THEN 'call'
      WHEN entry.type IN ('session_meta', 'turn_context') THEN 'setting'
      WHEN entry.type <> 'event_msg' THEN NULL
      WHEN entry.payload.type = 'thread_settings_applied' THEN 'setting'
      WHEN entry.payload.type = 'token_count'
        AND entry.payload.info.total_token_usage IS NOT NULL THEN 'total'
    END AS kind,
    CASE WHEN entry.type = 'session_meta' THEN entry.payload.id END AS session,
    coalesce(entry.payload.model, entry.payload.thread_settings.model) AS model,
    coalesce(
      entry.payload.model_provider, entry.payload.thread_settings.model_provider_id
    ) AS provider,
    coalesce(entry.payload.cwd, entry.payload.thread_settings.cwd) AS folder,
    entry.payload.thread_settings.service_tier AS service_tier,
    entry.payload.response_id AS response_id,
    entry.payload.usage AS usage,
    entry.payload.info.total_token_usage AS total,
    entry.payload.info.last_token_usage AS latest
  FROM parsed
)
SELECT
  file,
  line,
  timestamp,
  kind,
  session,
  CASE WHEN kind = 'setting' THEN model END AS model,
  CASE WHEN kind = 'setting' THEN provider END AS provider,
  CASE WHEN kind = 'setting' THEN folder END AS folder,
  service_tier,
  response_id,
  whole(coalesce(usage.input_tokens, total.input_tokens)) AS input,
  whole(coalesce(usage.cached_input_tokens, total.cached_input_tokens)) AS cache_read,
  whole(coalesce(usage.cache_write_input_tokens, total.cache_write_input_tokens)) AS cache_write,
  whole(coalesce(usage.output_tokens, total.output_tokens)) AS output,
  whole(coalesce(usage.reasoning_output_tokens, total.reasoning_output_tokens)) AS reasoning,
  whole(latest.input_tokens) AS latest_input,
  whole(latest.cached_input_tokens) AS latest_cache_read,
  whole(latest.cache_write_input_tokens) AS latest_cache_write,
  whole(latest.output_tokens) AS latest_output,
  whole(latest.reasoning_output_tokens) AS latest_reasoning
FROM entries
WHERE kind IS NOT NULL
-- then
WITH settled AS (
  SELECT
    * EXCLUDE (session, model, provider, folder, service_tier),
    -- a fork begins with its own name and goes on with that of the session it came from
    last_value(session IGNORE NULLS) OVER so_far AS origin,
    last_value(model IGNORE NULLS) OVER so_far AS model,
    last_value(provider IGNORE NULLS) OVER so_far AS provider,
    last_value(folder IGNORE NULLS) OVER so_far AS folder,
    last_value(service_tier IGNORE NULLS) OVER so_far AS service_tier,
    count(*) FILTER (kind = 'call') OVER so_far AS calls_so_far
  FROM picked
  WINDOW so_far AS (
    PARTITION BY file ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
totals AS (
  SELECT
    *,
    lag(input) OVER earlier AS input_before,
    lag(cache_read) OVER earlier AS cache_read_before,
    lag(cache_write) OVER earlier AS cache_write_before,
    lag(output) OVER earlier AS output_before,
    lag(reasoning) OVER earlier AS reasoning_before,
    lag(calls_so_far, 1, 0) OVER earlier AS calls_before
  FROM settled
  WHERE kind = 'total'
  WINDOW earlier AS (PARTITION BY file ORDER BY line)
),
risen AS (
  SELECT
    *,
    -- a total of one call, or one that fell, starts again; a fork's first one is inherited
    (
      input_before IS NULL OR output_before IS NULL
      OR input_before < 0 OR output_before < 0
      OR input < input_before OR output < output_before
      OR coalesce(input = latest_input AND output = latest_output, FALSE)
    ) AS starts_again
  FROM totals
  WHERE (input, output) IS DISTINCT FROM (input_before, output_before)
    AND calls_so_far = calls_before -- else that call has a record of its own
),
calls AS (
  SELECT
    file, line, timestamp, origin, model, provider, folder, service_tier, response_id AS source_id,
    input, cache_read, cache_write, output, reasoning
  FROM settled
  WHERE kind = 'call'
  UNION ALL
  SELECT
    file, line, timestamp, origin, model, provider, folder, service_tier,
    concat_ws(
      '/', coalesce(origin, file), input, cache_read, cache_write, output, reasoning
    ) AS source_id,
    CASE WHEN starts_again THEN coalesce(latest_input, input)
      ELSE whole(input::HUGEINT - input_before) END AS input,
    CASE WHEN starts_again THEN coalesce(latest_cache_read, cache_read)
      ELSE whole(cache_read::HUGEINT - coalesce(cache_read_before, 0)) END AS cache_read,
    CASE WHEN starts_again THEN coalesce(latest_cache_write, cache_write)
      ELSE whole(cache_write::HUGEINT - coalesce(cache_write_before, 0)) END AS cache_write,
    CASE WHEN starts_again THEN coalesce(latest_output, output)
      ELSE whole(output::HUGEINT - output_before) END AS output,
    CASE WHEN starts_again THEN coalesce(latest_reasoning, reasoning)
      ELSE whole(reasoning::HUGEINT - coalesce(reasoning_before, 0)) END AS reasoning
  FROM risen
)
SELECT
  file,
  line,
  moment(timestamp) AS ts_end,
  source_id,
  CASE
    WHEN lower(provider) IN ('oss', 'ollama', 'lmstudio') THEN 'local' ELSE lower(provider)
  END AS provider,
  model AS model_requested,
  nullif(regexp_extract(folder, '([^/\\]+)[/\\]*$', 1), '') AS project,
  service_tier,
  'chat' AS operation,
  input AS input_total,
  cache_read,
  cache_write,
  output AS output_total,
  reasoning
FROM calls
