-- title: Ollama answers (generate, chat, embed)
-- kind: records
-- detect: json_type(record, '$.model') = 'VARCHAR'
-- detect: AND (json_type(record, '$.done') = 'BOOLEAN' OR json_exists(record, '$.embeddings'))
-- detect: AND (json_exists(record, '$.total_duration') OR json_exists(record, '$.created_at'))
-- provides: One call a record, the last of a stream. The prompt's tokens are absent from answers
-- provides: of servers that found all of it in their cache. Cached tokens and reasoning are not
-- provides: told apart. The time is that at which the answer ended. Models whose tag ends in
-- provides: "cloud" ran at Ollama's.
WITH parsed AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "model": "VARCHAR", "created_at": "VARCHAR", "done": "BOOLEAN", "done_reason": "VARCHAR",
        "remote_host": "VARCHAR",
        "total_duration": "VARCHAR", "prompt_eval_count": "VARCHAR", "eval_count": "VARCHAR",
        "image": "VARCHAR", "message": "JSON", "embeddings": "JSON"
      }'
    ) AS answer
  FROM raw
),
calls AS (
  SELECT
    *,
    json_type(answer.embeddings) = 'ARRAY' AS is_embedding,
    number(answer.total_duration) AS duration_ns,
    moment(answer.created_at) AS ended
  FROM parsed
)
SELECT
  file,
  line,
  CASE
    WHEN duration_ns BETWEEN 0 AND 1e15 THEN ended - to_microseconds((duration_ns / 1e3)::BIGINT)
  END AS ts_start,
  ended AS ts_end,
  CASE
    WHEN answer.remote_host <> '' OR regexp_matches(answer.model, '[:-]cloud$') THEN 'ollama-cloud'
    ELSE 'local'
  END AS provider,
  answer.model AS model_served,
  CASE
    WHEN is_embedding THEN 'embeddings'
    WHEN answer.image IS NOT NULL THEN 'image_generation'
    WHEN answer.message IS NOT NULL THEN 'chat'
    ELSE 'text_completion'
  END AS operation,
  whole(answer.prompt_eval_count) AS input_total,
  CASE WHEN NOT coalesce(is_embedding, FALSE) THEN whole(answer.eval_count) END AS output_total,
  CASE WHEN answer.image IS NOT NULL THEN 1 END AS images_out,
  CASE WHEN duration_ns < 0 THEN duration_ns ELSE duration_ns / 1e9 END AS latency_s
FROM calls
-- a model that was only loaded or unloaded has done nothing else
WHERE (answer.done AND coalesce(answer.done_reason, '') NOT IN ('load', 'unload'))
  OR (answer.done IS NULL AND is_embedding)
