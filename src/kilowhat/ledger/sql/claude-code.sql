-- title: Claude Code sessions
-- kind: records
-- detect: json_type(record, '$.sessionId') = 'VARCHAR' AND json_exists(record, '$.uuid')
-- detect: AND json_exists(record, '$.isSidechain')
-- keep: last
-- provides: A message is written on several lines and again where a session goes on in another
-- provides: file: it counts once, as the last of them has it. `input_tokens` leaves out what was
-- provides: read from the cache and written to it: they are added. Sub-agents are in files of
-- provides: their own. Some calls leave no line, and are not there. The project is
-- provides: the folder's name. The zone is known where `inference_geo` is "us".
WITH parsed AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "type": "VARCHAR", "timestamp": "VARCHAR", "requestId": "VARCHAR", "cwd": "VARCHAR",
        "costUSD": "VARCHAR",
        "message": {
          "id": "VARCHAR", "model": "VARCHAR",
          "usage": {
            "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
            "cache_creation_input_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
            "output_tokens_details": {"thinking_tokens": "VARCHAR"},
            "service_tier": "VARCHAR", "inference_geo": "VARCHAR",
            "iterations": [{
              "type": "VARCHAR", "model": "VARCHAR",
              "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
              "cache_creation_input_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR"
            }]
          }
        }
      }'
    ) AS entry
  FROM raw
),
messages AS (
  SELECT
    *,
    entry.message.id || coalesce(':' || entry.requestId, '') AS source_id,
    -- where another model took over, it is the one that the totals are of
    coalesce(
      list_filter(
        entry.message.usage.iterations, lambda run: run.type = 'fallback_message'
      )[1].model,
      entry.message.model
    ) AS model
  FROM parsed
  WHERE entry.type = 'assistant' AND coalesce(entry.message.model, '') <> '<synthetic>'
),
parts AS (
  SELECT
    file,
    line,
    entry,
    source_id,
    model,
    whole(entry.message.usage.input_tokens) AS fresh,
    whole(entry.message.usage.cache_read_input_tokens) AS cache_read,
    whole(entry.message.usage.cache_creation_input_tokens) AS cache_write,
    whole(entry.message.usage.output_tokens) AS generated,
    whole(entry.message.usage.output_tokens_details.thinking_tokens) AS thought,
    number(entry.costUSD) AS cost
  FROM messages
  UNION ALL
  SELECT
    file,
    line,
    entry,
    source_id || '/' || place AS source_id,
    coalesce(run.model, model) AS model,
    whole(run.input_tokens) AS fresh,
    whole(run.cache_read_input_tokens) AS cache_read,
    whole(run.cache_creation_input_tokens) AS cache_write,
    whole(run.output_tokens) AS generated,
    NULL AS thought,
    NULL AS cost
  FROM (
    SELECT
      *,
      unnest(entry.message.usage.iterations) AS run,
      generate_subscripts(entry.message.usage.iterations, 1) AS place
    FROM messages
  )
  -- what the totals of the message leave out
  WHERE run.type IN ('compaction', 'advisor_message') OR run.model <> model
)
SELECT
  file,
  line,
  moment(entry.timestamp) AS ts_end,
  source_id,
  CASE
    WHEN model LIKE '%anthropic.%' OR model LIKE 'arn:aws:%' THEN 'aws'
    WHEN model LIKE '%@%' THEN 'google'
    ELSE 'anthropic'
  END AS provider,
  model AS model_served,
  CASE WHEN entry.message.usage.inference_geo = 'us' THEN 'usa' END AS zone,
  nullif(regexp_extract(entry.cwd, '([^/\\]+)[/\\]*$', 1), '') AS project,
  entry.message.usage.service_tier AS service_tier,
  'chat' AS operation,
  CASE
    WHEN least(fresh, cache_read, cache_write) < 0 THEN least(fresh, cache_read, cache_write)
    ELSE whole(fresh::HUGEINT + coalesce(cache_read, 0) + coalesce(cache_write, 0))
  END AS input_total,
  cache_read,
  cache_write,
  generated AS output_total,
  thought AS reasoning,
  cost
FROM parts
