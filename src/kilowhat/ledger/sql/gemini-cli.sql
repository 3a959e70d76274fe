-- title: Gemini CLI sessions
-- kind: records
-- detect: (json_type(record, '$.sessionId') = 'VARCHAR' AND json_exists(record, '$.projectHash'))
-- detect: OR json_type(record, '$."$set"') = 'OBJECT'
-- detect: OR (json_extract_string(record, '$.type') = 'gemini'
-- detect: AND json_exists(record, '$.timestamp') AND json_exists(record, '$.id'))
-- keep: last
-- provides: A message is written again whenever something is added to it: it counts once. Thoughts
-- provides: are added to the output, and what tools put into the prompt to the input, which
-- provides: includes cached tokens. Messages that were taken back were calls all the same. The
-- provides: project is the name or hash of the folder that Gemini CLI keeps for it.
WITH documents AS (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "id": "VARCHAR", "type": "VARCHAR", "timestamp": "VARCHAR", "model": "VARCHAR",
        "tokens": "JSON", "messages": "JSON", "$set": {"messages": "JSON"}
      }'
    ) AS entry
  FROM raw
),
listed AS MATERIALIZED (
  SELECT
    file,
    line,
    unnest(
      from_json(
        CASE
          WHEN json_type(entry.messages) = 'ARRAY' THEN entry.messages
          WHEN json_type(entry."$set".messages) = 'ARRAY' THEN entry."$set".messages
          WHEN entry.type = 'gemini' THEN json_array(
            json_object(
              'id', entry.id, 'type', entry.type, 'timestamp', entry.timestamp,
              'model', entry.model, 'tokens', entry.tokens
            )
          )
        END,
        '[{
          "id": "VARCHAR", "type": "VARCHAR", "timestamp": "VARCHAR", "model": "VARCHAR",
          "tokens": {
            "input": "VARCHAR", "output": "VARCHAR", "cached": "VARCHAR", "thoughts": "VARCHAR",
            "tool": "VARCHAR"
          }
        }]'
      )
    ) AS message
  FROM documents
),
counted AS (
  SELECT
    *,
    whole(message.tokens.input) AS prompt,
    whole(message.tokens.tool) AS from_tools,
    whole(message.tokens.output) AS answer,
    whole(message.tokens.thoughts) AS thoughts
  FROM listed
  WHERE message.type = 'gemini' AND message.model IS NOT NULL
)
SELECT
  file,
  line,
  moment(message.timestamp) AS ts_end,
  message.id AS source_id,
  'google' AS provider,
  message.model AS model_served,
  nullif(regexp_extract(file, '([^/\\]+)[/\\]chats[/\\]', 1), '') AS project,
  'chat' AS operation,
  CASE
    WHEN least(prompt, from_tools) < 0 THEN least(prompt, from_tools)
    ELSE whole(prompt::HUGEINT + coalesce(from_tools, 0))
  END AS input_total,
  whole(message.tokens.cached) AS cache_read,
  CASE
    WHEN least(answer, thoughts) < 0 THEN least(answer, thoughts)
    ELSE whole(answer::HUGEINT + coalesce(thoughts, 0))
  END AS output_total,
  thoughts AS reasoning
FROM counted
