-- title: OpenAI organization usage, pages or buckets
-- kind: records
-- detect: (json_extract_string(record, '$.object') = 'page'
-- detect: AND json_extract_string(record, '$.data[0].object') = 'bucket')
-- detect: OR json_extract_string(record, '$.object') = 'bucket'
-- keep: last
-- provides: Totals by bucket, with the number of requests; input includes cached tokens. The model
-- provides: and the project are known only if the report was grouped by them, and reports of the
-- provides: same days grouped in two ways count everything twice. Reasoning is not told apart.
-- provides: Web searches, storage, sessions and costs are no calls of a model and are left out.
WITH pages AS (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "object": "VARCHAR", "start_time": "VARCHAR", "end_time": "VARCHAR", "results": ["JSON"],
        "data": [{"start_time": "VARCHAR", "end_time": "VARCHAR", "results": ["JSON"]}]
      }'
    ) AS page
  FROM raw
),
buckets AS (
  SELECT
    file,
    line,
    page.start_time AS start_time,
    page.end_time AS end_time,
    page.results AS results
  FROM pages
  WHERE page.object = 'bucket'
  UNION ALL
  SELECT file, line, bucket.start_time, bucket.end_time, bucket.results
  FROM (SELECT file, line, unnest(page.data) AS bucket FROM pages WHERE page.object = 'page')
),
results AS (
  SELECT file, line, start_time, end_time, unnest(results) AS whole_result FROM buckets
),
-- kept, or each condition further on would parse every record again
parsed AS MATERIALIZED (
  SELECT
    *,
    from_json(
      whole_result,
      '{
        "object": "VARCHAR", "num_model_requests": "VARCHAR",
        "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
        "input_cached_tokens": "VARCHAR", "input_cache_write_tokens": "VARCHAR",
        "images": "VARCHAR", "seconds": "VARCHAR", "characters": "VARCHAR",
        "project_id": "VARCHAR", "user_id": "VARCHAR", "model": "VARCHAR",
        "batch": "VARCHAR", "service_tier": "VARCHAR"
      }'
    ) AS result
  FROM results
),
usage AS (
  SELECT
    *,
    split_part(result.object, '.', 3) AS kind
  FROM parsed
)
SELECT
  file,
  line,
  moment_s(start_time) AS ts_start,
  moment_s(end_time) AS ts_end,
  -- all that tells a row from the others: a bucket that was fetched again replaces the first
  concat_ws(
    '/',
    start_time,
    end_time,
    md5(
      json_merge_patch(
        whole_result,
        '{
          "num_model_requests": null, "images": null, "seconds": null, "characters": null,
          "input_tokens": null, "input_cached_tokens": null, "input_cache_write_tokens": null,
          "input_uncached_tokens": null, "input_text_tokens": null, "input_image_tokens": null,
          "input_audio_tokens": null, "input_cached_text_tokens": null,
          "input_cached_image_tokens": null, "input_cached_audio_tokens": null,
          "output_tokens": null, "output_text_tokens": null, "output_image_tokens": null,
          "output_audio_tokens": null
        }'
      )::VARCHAR
    )
  ) AS source_id,
  'openai' AS provider,
  result.model AS model_served,
  result.project_id AS project,
  result.user_id AS "user",
  CASE WHEN result.batch = 'true' THEN 'batch' ELSE result.service_tier END AS service_tier,
  CASE kind
    WHEN 'completions' THEN 'chat'
    WHEN 'embeddings' THEN 'embeddings'
    WHEN 'moderations' THEN 'moderation'
    WHEN 'images' THEN 'image_generation'
    ELSE 'audio'
  END AS operation,
  whole(result.input_tokens) AS input_total,
  whole(result.input_cached_tokens) AS cache_read,
  whole(result.input_cache_write_tokens) AS cache_write,
  whole(result.output_tokens) AS output_total,
  whole(result.images) AS images_out,
  number(result.seconds) AS audio_in_s,
  whole(result.characters) AS input_characters,
  coalesce(whole(result.num_model_requests), 0) AS n_requests -- 0: not told
FROM usage
WHERE kind IN (
  'completions', 'embeddings', 'moderations', 'images', 'audio_speeches', 'audio_transcriptions'
)
