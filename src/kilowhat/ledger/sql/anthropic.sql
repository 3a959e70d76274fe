-- title: Anthropic Messages answers, one a record
-- kind: records
-- detect: (json_extract_string(record, '$.type') = 'message'
-- detect: AND json_exists(record, '$.usage.input_tokens'))
-- detect: OR (json_exists(record, '$.custom_id') AND json_exists(record, '$.result.type'))
-- keep: last
-- provides: Answers have no time. `input_tokens` leaves out what was read from the cache and
-- provides: written to it: they are added. A compaction, and each sampling by another model than
-- provides: the one that answered, is a row of its own. The zone is known where `inference_geo`
-- provides: is "us"; "global" names no place. A batch's line that failed, expired or was canceled
-- provides: ran no model and is left out, and so are the single events of a stream.
WITH lines AS (
  SELECT
    file,
    line,
    record,
    from_json(
      record, '{"custom_id": "VARCHAR", "result": {"type": "VARCHAR", "message": "JSON"}}'
    ) AS outer_part
  FROM raw
),
-- kept, or each condition further on would parse every record again
bodies AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      CASE WHEN outer_part.custom_id IS NULL THEN record ELSE outer_part.result.message END,
      '{
        "id": "VARCHAR", "type": "VARCHAR", "model": "VARCHAR",
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
      }'
    ) AS body
  FROM lines
),
messages AS (
  SELECT
    file,
    line,
    body,
    -- where another model took over, it is the one that the totals are of
    coalesce(
      list_filter(body.usage.iterations, lambda run: run.type = 'fallback_message')[1].model,
      body.model
    ) AS model
  FROM bodies
  WHERE body.type = 'message' AND (body.usage IS NOT NULL OR body.model IS NOT NULL)
),
parts AS (
  SELECT
    file,
    line,
    body.id AS source_id,
    model,
    body.usage.inference_geo AS geo,
    body.usage.service_tier AS service_tier,
    body.usage.input_tokens AS fresh,
    body.usage.cache_read_input_tokens AS read,
    body.usage.cache_creation_input_tokens AS written,
    body.usage.output_tokens AS generated,
    body.usage.output_tokens_details.thinking_tokens AS thought
  FROM messages
  UNION ALL
  SELECT
    file,
    line,
    body.id || '/' || place AS source_id,
    coalesce(run.model, model) AS model,
    body.usage.inference_geo AS geo,
    body.usage.service_tier AS service_tier,
    run.input_tokens AS fresh,
    run.cache_read_input_tokens AS read,
    run.cache_creation_input_tokens AS written,
    run.output_tokens AS generated,
    NULL AS thought
  FROM (
    SELECT
      *,
      unnest(body.usage.iterations) AS run,
      generate_subscripts(body.usage.iterations, 1) AS place
    FROM messages
  )
  -- what the totals of the message leave out
  WHERE run.type IN ('compaction', 'advisor_message') OR run.model <> model
),
counted AS (
  SELECT
    *,
    whole(fresh) AS fresh_tokens,
    whole(read) AS cache_read,
    whole(written) AS cache_write,
    least(whole(fresh), whole(read), whole(written)) AS smallest
  FROM parts
)
SELECT
  file,
  line,
  source_id,
  'anthropic' AS provider,
  model AS model_served,
  CASE WHEN geo = 'us' THEN 'usa' END AS zone,
  service_tier,
  'chat' AS operation,
  CASE
    WHEN smallest < 0 THEN smallest -- unreadable or negative: nothing to add to
    ELSE whole(fresh_tokens::HUGEINT + coalesce(cache_read, 0) + coalesce(cache_write, 0))
  END AS input_total,
  cache_read,
  cache_write,
  whole(generated) AS output_total,
  whole(thought) AS reasoning
FROM counted
