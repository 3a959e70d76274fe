-- title: OpenCode messages and exported sessions
-- kind: records
-- detect: (json_exists(record, '$.role') AND json_exists(record, '$.time.created')
-- detect: AND (json_exists(record, '$.modelID') OR json_exists(record, '$.model.modelID')
-- detect: OR json_exists(record, '$.sessionID')))
-- detect: OR (json_exists(record, '$.info.projectID')
-- detect: AND json_type(record, '$.messages') = 'ARRAY')
-- keep: last
-- provides: One call a message. Input leaves out what was read from the cache and written to it:
-- provides: they are added. Whether output includes reasoning depends on the version: where the
-- provides: message has a total, that decides; else it does, but for Google's models. The calls
-- provides: that name a session leave no message. The project is the folder's name.
WITH documents AS (
  SELECT
    file,
    line,
    unnest(
      CASE
        WHEN json_type(record, '$.messages') = 'ARRAY'
          THEN json_extract(record, '$.messages[*].info')
        ELSE [record]
      END
    ) AS info
  FROM raw
),
parsed AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      info,
      '{
        "id": "VARCHAR", "role": "VARCHAR", "modelID": "VARCHAR", "providerID": "VARCHAR",
        "cost": "VARCHAR", "finish": "VARCHAR", "error": "JSON",
        "path": {"cwd": "VARCHAR"},
        "time": {"created": "VARCHAR", "completed": "VARCHAR"},
        "tokens": {
          "total": "VARCHAR", "input": "VARCHAR", "output": "VARCHAR", "reasoning": "VARCHAR",
          "cache": {"read": "VARCHAR", "write": "VARCHAR"}
        }
      }'
    ) AS message
  FROM documents
),
counted AS (
  SELECT
    *,
    lower(message.providerID) AS provider,
    whole(message.tokens.total) AS total,
    whole(message.tokens.input) AS fresh,
    whole(message.tokens.output) AS answer,
    whole(message.tokens.reasoning) AS reasoning,
    whole(message.tokens.cache.read) AS cache_read,
    whole(message.tokens.cache.write) AS cache_write
  FROM parsed
  WHERE message.role = 'assistant'
),
added AS (
  SELECT
    *,
    least(fresh, cache_read, cache_write) AS smallest_input,
    least(answer, reasoning) AS smallest_output,
    fresh::HUGEINT + coalesce(cache_read, 0) + coalesce(cache_write, 0) AS prompt,
    coalesce(provider LIKE 'google%' OR reasoning > answer, FALSE) AS is_apart
  FROM counted
)
SELECT
  file,
  line,
  moment_ms(message.time.created) AS ts_start,
  moment_ms(message.time.completed) AS ts_end,
  message.id AS source_id,
  CASE
    WHEN provider = 'amazon-bedrock' THEN 'aws'
    WHEN provider LIKE 'azure%' THEN 'azure'
    WHEN provider LIKE 'google%' THEN 'google'
    WHEN provider IN ('ollama', 'lmstudio', 'llama.cpp', 'local') THEN 'local'
    WHEN provider = 'vllm' THEN 'self'
    ELSE provider
  END AS provider,
  message.modelID AS model_requested,
  nullif(regexp_extract(message.path.cwd, '([^/\\]+)[/\\]*$', 1), '') AS project,
  'chat' AS operation,
  CASE WHEN smallest_input < 0 THEN smallest_input ELSE whole(prompt) END AS input_total,
  cache_read,
  cache_write,
  CASE
    WHEN smallest_output < 0 THEN smallest_output
    WHEN total - prompt BETWEEN answer AND answer::HUGEINT + coalesce(reasoning, 0)
      THEN whole(total - prompt)
    WHEN is_apart THEN whole(answer::HUGEINT + coalesce(reasoning, 0))
    ELSE answer
  END AS output_total,
  reasoning,
  number(message.cost) AS cost,
  CASE WHEN json_type(message.error) = 'OBJECT' THEN 'error' END AS status
FROM added
-- what the user ran in a shell, and what is still under way, is no call
WHERE prompt + answer + coalesce(reasoning, 0) <> 0
  OR message.finish IS NOT NULL
  OR json_type(message.error) = 'OBJECT'
  OR smallest_input < 0
  OR smallest_output < 0
