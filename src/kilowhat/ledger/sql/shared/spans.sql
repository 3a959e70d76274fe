sizes AS (
  SELECT
    * EXCLUDE (pieces),
    [
      {
        'is_input': piece.is_input,
        'size': CASE
          WHEN NOT json_valid(piece.content)
            OR (piece.is_plain AND NOT starts_with(piece.content, '[{"type"'))
            THEN length(piece.content)
          WHEN starts_with(piece.content, '{"values":') THEN list_sum([
            list_sum([
              coalesce(CASE WHEN field.key = 'content' THEN length(field.value.stringValue) END, 0)
              + coalesce(list_sum([
                list_sum([
                  length(member.value.stringValue) FOR member IN part.kvlistValue.values
                  IF member.key IN ('content', 'arguments', 'response')
                ])
                FOR part IN field.value.arrayValue.values
              ]), 0)
              FOR field IN message.kvlistValue.values
            ])
            FOR message IN from_json(piece.content, '{"values": [{"kvlistValue": {"values": [
              {"key": "VARCHAR", "value": {"stringValue": "VARCHAR", "arrayValue": {"values": [
                {"kvlistValue": {"values": [
                  {"key": "VARCHAR", "value": {"stringValue": "VARCHAR"}}
                ]}}
              ]}}}
            ]}}]}').values
          ])
          WHEN starts_with(piece.content, '[') THEN list_sum([
            coalesce(length(coalesce(message.content, message.text)), 0) + coalesce(list_sum([
              coalesce(length(part.content), 0)
              + coalesce(length(part.arguments), 0)
              + coalesce(length(part.response), 0)
              FOR part IN message.parts
              IF coalesce(part.type, '') NOT IN ('blob', 'file', 'uri')
            ]), 0)
            FOR message IN from_json(piece.content, '[{
              "content": "VARCHAR",
              "text": "VARCHAR",
              "parts": [{
                "type": "VARCHAR", "content": "VARCHAR", "arguments": "VARCHAR",
                "response": "VARCHAR"
              }]
            }]')
          ])
          ELSE coalesce(
            length(json_extract_string(piece.content, '$.message.content')),
            length(json_extract_string(piece.content, '$.content'))
          )
        END
      }
      FOR piece IN pieces
    ] AS sizes
  FROM pieces
),
sized AS (
  SELECT
    * EXCLUDE (sizes),
    CASE
      WHEN no_input THEN list_sum([piece.size FOR piece IN sizes IF piece.is_input])
    END AS input_size,
    CASE
      WHEN no_output THEN list_sum([piece.size FOR piece IN sizes IF NOT piece.is_input])
    END AS output_size
  FROM sizes
),
judged AS (
  SELECT
    *,
    -- in a stream without counts, OpenLIT writes half the number of characters as tokens
    coalesce(
      is_doubtful AND output_size - 2 * output_counted::HUGEINT IN (0, -1), FALSE
    ) AS is_guess
  FROM sized
),
totals AS (
  SELECT
    *,
    CASE
      WHEN is_guess THEN NULL
      WHEN NOT is_sane THEN input_counted
      -- the Messages and Converse APIs count cached tokens apart, and some libraries copy that
      WHEN cached > 0 AND (provider IN ('anthropic', 'aws') OR answered ILIKE '%claude%') AND (
        cached > input_counted
        OR scope IN (
          'openlit.instrumentation.anthropic',
          'openlit.instrumentation.bedrock',
          'opentelemetry.instrumentation.bedrock'
        )
        OR (scope IS NULL AND tracer = 'openlit')
      ) THEN input_counted + cached
      WHEN input_counted IS NULL AND total >= output_counted THEN total - output_counted
      ELSE input_counted
    END AS input_all,
    CASE
      WHEN is_guess THEN NULL
      WHEN NOT is_sane THEN output_counted
      WHEN output_counted IS NULL AND total > input_counted THEN total - input_counted
      -- Gemini and Grok count thoughts apart from the answer, and some libraries copy that
      WHEN provider IN ('google', 'xai') AND total > input_counted::HUGEINT + output_counted
        THEN total - input_counted
      WHEN provider IN ('google', 'xai') AND (
        reasoning > output_counted OR scope = 'openlit.instrumentation.google_ai_studio'
        OR (scope IS NULL AND tracer = 'openlit' AND provider = 'google')
      ) THEN output_counted::HUGEINT + reasoning
      ELSE output_counted
    END AS output_all,
    -- a call that failed before it answered took no tokens
    CASE
      WHEN (is_guess OR NOT is_doubtful) AND (NOT is_failed OR output_size > 0)
        THEN nullif(input_size, 0)
    END AS input_characters,
    CASE WHEN is_guess OR NOT is_doubtful THEN nullif(output_size, 0) END AS output_characters
  FROM judged
)
SELECT
  file,
  line,
  ts_start,
  ts_end,
  -- two libraries may trace one call side by side, or in two traces: it has one answer
  CASE
    WHEN length(response_id) >= 16 THEN concat_ws('/', provider, response_id)
    ELSE trace_id || span_id
  END AS source_id,
  provider,
  model_requested,
  answered AS model_served,
  CASE
    WHEN address LIKE '%bedrock-runtime%.amazonaws.com%'
      THEN nullif('aws:' || regexp_extract(address, '([a-z0-9-]+)[.]amazonaws[.]com', 1), 'aws:')
    WHEN address LIKE '%-aiplatform.googleapis.com%'
      THEN 'gcp:' || regexp_extract(address, '([a-z0-9-]+)-aiplatform[.]googleapis', 1)
    WHEN provider = 'aws' AND own_region IS NOT NULL THEN 'aws:' || own_region
    WHEN provider = 'self' OR is_server
      OR (provider = 'google' AND lower(cloud) = 'gcp')
      OR (provider = lower(cloud) AND provider IN ('aws', 'azure'))
      THEN lower(cloud) || ':' || cloud_region
  END AS region,
  coalesce(
    CASE WHEN NOT starts_with(service, 'unknown_service') THEN nullif(service, '') END,
    nullif(own_service, ''),
    phoenix_project
  ) AS project,
  nullif(coalesce(own_team, team), '') AS team,
  nullif(person, '') AS user,
  tier AS service_tier,
  operation,
  whole(input_all) AS input_total,
  cache_read,
  cache_write,
  whole(output_all) AS output_total,
  reasoning,
  CASE
    WHEN operation = 'image_generation' AND json_valid(images)
      THEN coalesce(json_array_length(images, '$.values'), json_array_length(images))
  END AS images_out,
  latency_s,
  number(first_chunk) AS ttft_s,
  number(cost_said) AS cost,
  CASE WHEN is_failed THEN 'error' END AS status,
  input_characters,
  output_characters,
  hash(trace_id, span_id) AS own_key,
  CASE WHEN parent_id <> '' THEN hash(trace_id, parent_id) END AS outer_key,
  CASE
    WHEN input_all IS NOT NULL OR output_all IS NOT NULL THEN 2
    WHEN input_characters IS NOT NULL OR output_characters IS NOT NULL THEN 1
    ELSE 0
  END AS weight
FROM totals
-- then
SELECT * EXCLUDE (own_key, outer_key, weight)
FROM picked
WHERE NOT EXISTS (
  FROM picked AS nested
  WHERE nested.outer_key = picked.own_key AND nested.weight >= picked.weight
    AND picked.outer_key IS DISTINCT FROM nested.own_key -- damaged: each around the other
)
