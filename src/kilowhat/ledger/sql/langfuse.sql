-- title: Langfuse observations
-- kind: table
-- columns: id, traceId, type, startTime, endTime, model, providedModelName, modelParameters,
-- columns: usageDetails, usage, promptTokens, completionTokens, userId, projectId, level, latency,
-- columns: timeToFirstToken, totalCost, calculatedTotalCost
-- detect: columns id, traceId, type, startTime, parentObservationId
-- keep: last
-- provides: Only generations and embeddings are calls. In `usageDetails` the kinds of tokens do not
-- provides: overlap by convention (`input` leaves out what was read from a cache), but what an
-- provides: application sends is kept as sent: where `total` is `input` plus `output`, the other
-- provides: kinds are taken as parts of these; else input is what `total` leaves beside the output.
-- provides: Who served the model is not said, nor where.
SELECT
  moment("startTime") AS ts_start,
  moment("endTime") AS ts_end,
  id AS source_id,
  coalesce(
    nullif(CAST(model AS VARCHAR), ''),
    nullif(CAST("providedModelName" AS VARCHAR), '')
  ) AS model_served,
  nullif(CAST("projectId" AS VARCHAR), '') AS project,
  nullif(CAST("userId" AS VARCHAR), '') AS "user",
  parameters ->> '$.service_tier' AS service_tier,
  CASE WHEN type = 'EMBEDDING' THEN 'embeddings' ELSE 'chat' END AS operation,
  CASE
    WHEN damaged THEN whole('unreadable')
    WHEN is_plain THEN CASE WHEN unit = 'TOKENS' THEN whole(plain_input) END
    WHEN overlapping THEN whole(fresh)
    WHEN total >= generated THEN whole(total - generated)
    ELSE whole(
      coalesce(fresh, 0) + coalesce(number(cached), 0) + coalesce(number(stored), 0) + heard
    )
  END AS input_total,
  whole(cached) AS cache_read,
  whole(stored) AS cache_write,
  CASE
    WHEN is_plain THEN CASE WHEN unit = 'TOKENS' THEN whole(plain_output) END
    WHEN overlapping THEN whole(written_out)
    ELSE whole(generated)
  END AS output_total,
  whole(thought) AS reasoning,
  CASE WHEN is_plain AND unit = 'CHARACTERS' THEN whole(plain_input) END AS input_characters,
  CASE WHEN is_plain AND unit = 'CHARACTERS' THEN whole(plain_output) END AS output_characters,
  CASE WHEN number(latency) BETWEEN 0 AND 1e9 THEN number(latency) END AS latency_s,
  CASE
    WHEN number("timeToFirstToken") BETWEEN 0 AND 1e9 THEN number("timeToFirstToken")
  END AS ttft_s,
  coalesce(number("totalCost"), number("calculatedTotalCost")) AS cost,
  CASE WHEN CAST(level AS VARCHAR) = 'ERROR' THEN 'error' END AS status
FROM (
  SELECT
    *,
    coalesce(total = fresh + written_out, FALSE) AS overlapping,
    fresh IS NULL AND written_out IS NULL AS is_plain,
    coalesce(written_out, 0) + coalesce(number(thought), 0) + other_output AS generated
  FROM (
    SELECT
      *,
      CAST("usageDetails" AS VARCHAR) <> '' AND details IS NULL AS damaged,
      number(details ->> '$.total') AS total,
      number(details ->> '$.input') AS fresh,
      number(details ->> '$.output') AS written_out,
      coalesce(
        details ->> '$.cache_read_input_tokens',
        details ->> '$.input_cached_tokens',
        details ->> '$.input_cache_read'
      ) AS cached,
      coalesce(
        details ->> '$.cache_creation_input_tokens',
        details ->> '$.input_cache_creation',
        details ->> '$.input_cache_write_tokens',
        details ->> '$.input_cache_creation_tokens'
      ) AS stored,
      coalesce(
        details ->> '$.output_reasoning_tokens', details ->> '$.output_reasoning'
      ) AS thought,
      coalesce(number(details ->> '$.input_audio_tokens'), number(details ->> '$.input_audio'), 0)
        AS heard,
      coalesce(number(details ->> '$.output_audio_tokens'), number(details ->> '$.output_audio'), 0)
        + coalesce(number(details ->> '$.output_accepted_prediction_tokens'), 0)
        + coalesce(number(details ->> '$.output_rejected_prediction_tokens'), 0) AS other_output,
      -- before the kinds of usage, one amount each way, and as OpenAI names them
      coalesce(
        details ->> '$.prompt_tokens', CAST("promptTokens" AS VARCHAR), earlier ->> '$.input'
      ) AS plain_input,
      coalesce(
        details ->> '$.completion_tokens',
        CAST("completionTokens" AS VARCHAR),
        earlier ->> '$.output'
      ) AS plain_output,
      upper(coalesce(earlier ->> '$.unit', 'TOKENS')) AS unit
    FROM (
      SELECT
        *,
        TRY(json_extract("usageDetails", '$')) AS details,
        TRY(json_extract(usage, '$')) AS earlier,
        TRY(json_extract("modelParameters", '$')) AS parameters
      FROM raw
      WHERE type IN ('GENERATION', 'EMBEDDING')
    )
  )
)
