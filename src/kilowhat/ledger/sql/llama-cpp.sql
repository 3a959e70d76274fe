-- title: llama.cpp server answers, with timings
-- kind: records
-- detect: json_exists(record, '$.timings.predicted_n')
-- detect: OR regexp_matches(
-- detect: json_extract_string(record, '$.system_fingerprint'), '^b[0-9]+-[0-9a-f]+$')
-- keep: last
-- provides: One call a record; of a stream, the last chunk with timings. Only answers of the
-- provides: OpenAI interface have an id and a time, the time at which they ended. `tokens_cached`
-- provides: is what the server then holds, not what it reused, and is not read.
WITH parsed AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "id": "VARCHAR", "model": "VARCHAR", "object": "VARCHAR", "created": "VARCHAR",
        "stop": "BOOLEAN", "tokens_evaluated": "VARCHAR",
        "usage": {"prompt_tokens": "VARCHAR"},
        "choices": [{"finish_reason": "VARCHAR"}],
        "timings": {
          "cache_n": "VARCHAR", "prompt_n": "VARCHAR", "prompt_ms": "VARCHAR",
          "predicted_n": "VARCHAR", "predicted_ms": "VARCHAR"
        }
      }'
    ) AS answer
  FROM raw
),
counted AS (
  SELECT
    *,
    whole(answer.timings.prompt_n) AS computed,
    whole(answer.timings.cache_n) AS cached,
    whole(coalesce(answer.tokens_evaluated, answer.usage.prompt_tokens)) AS prompt,
    number(answer.timings.prompt_ms) AS prompt_ms,
    number(answer.timings.predicted_ms) AS predicted_ms
  FROM parsed
  WHERE answer.timings.predicted_n IS NOT NULL AND coalesce(answer.stop, TRUE)
)
SELECT
  file,
  line,
  moment_s(answer.created) AS ts_end,
  answer.id AS source_id,
  'local' AS provider,
  answer.model AS model_served,
  CASE WHEN answer.object[:15] = 'chat.completion' THEN 'chat' ELSE 'text_completion' END
    AS operation,
  CASE
    WHEN prompt IS NOT NULL THEN prompt
    WHEN least(computed, cached) < 0 THEN least(computed, cached) -- nothing to add to
    ELSE whole(computed::HUGEINT + coalesce(cached, 0))
  END AS input_total,
  CASE
    WHEN cached IS NOT NULL THEN cached
    WHEN prompt >= computed AND computed >= 0 THEN prompt - computed -- older servers
  END AS cache_read,
  whole(answer.timings.predicted_n) AS output_total,
  CASE
    WHEN least(prompt_ms, predicted_ms) < 0 THEN least(prompt_ms, predicted_ms)
    ELSE (prompt_ms + predicted_ms) / 1e3
  END AS latency_s
FROM counted
