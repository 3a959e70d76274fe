-- title: Anthropic usage reports, pages, buckets or rows
-- kind: records
-- detect: json_exists(record, '$.data[0].results[0].uncached_input_tokens')
-- detect: OR json_exists(record, '$.results[0].uncached_input_tokens')
-- detect: OR json_exists(record, '$.data[0].usage.uncached_input_tokens')
-- detect: OR json_exists(record, '$.usage.uncached_input_tokens')
-- detect: OR json_exists(record, '$.data[0].uncached_input_tokens')
-- detect: OR json_exists(record, '$.uncached_input_tokens')
-- detect: OR (json_exists(record, '$.data[0].starting_at')
-- detect: AND json_exists(record, '$.data[0].results'))
-- detect: OR (json_exists(record, '$.starting_at') AND json_exists(record, '$.ending_at')
-- detect: AND json_exists(record, '$.results'))
-- keep: last
-- provides: Totals by bucket. What was read from the cache and written to it is beside
-- provides: `uncached_input_tokens`: they are added. The Messages usage report does not say how
-- provides: many requests a row stands for; the analytics reports do. The model and the workspace
-- provides: are known only if the report was grouped by them; reports of the same days grouped in
-- provides: two ways, or by group of users (a user may be in several), count tokens twice.
-- provides: Reasoning is not told apart. Rows without a model and without tokens (code execution)
-- provides: are left out.
WITH pages AS (
  SELECT
    file,
    line,
    record,
    from_json(record, '{"data": ["JSON"]}') AS page
  FROM raw
),
buckets AS (
  SELECT file, line, unnest(coalesce(page.data, [record])) AS bucket FROM pages
),
opened AS (
  SELECT
    file,
    line,
    bucket,
    from_json(
      bucket,
      '{
        "starting_at": "VARCHAR", "ending_at": "VARCHAR", "results": ["JSON"],
        "group": "JSON", "usage": "JSON"
      }'
    ) AS item
  FROM buckets
),
results AS (
  SELECT
    file,
    line,
    item.starting_at AS starting_at,
    item.ending_at AS ending_at,
    unnest(
      CASE WHEN item.results IS NULL THEN [coalesce(item.group, bucket)] ELSE item.results END
    ) AS grouping,
    item.usage AS usage
  FROM opened
),
-- kept, or each condition further on would parse every record again
rows_of AS MATERIALIZED (
  SELECT
    file,
    line,
    starting_at,
    ending_at,
    grouping,
    from_json(
      grouping,
      '{
        "model": "VARCHAR", "service_tier": "VARCHAR", "inference_geo": "VARCHAR",
        "workspace_id": "VARCHAR", "rbac_group_id": "VARCHAR", "account_id": "VARCHAR",
        "service_account_id": "VARCHAR", "claude_tag_user_id": "VARCHAR",
        "actor": {
          "user_id": "VARCHAR", "service_account_id": "VARCHAR", "subject": "VARCHAR",
          "api_key_id": "VARCHAR"
        }
      }'
    ) AS of,
    from_json(
      coalesce(usage, grouping),
      '{
        "uncached_input_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
        "output_tokens": "VARCHAR", "requests": "VARCHAR",
        "cache_creation": {
          "ephemeral_1h_input_tokens": "VARCHAR", "ephemeral_5m_input_tokens": "VARCHAR"
        }
      }'
    ) AS counted
  FROM results
),
counts AS (
  SELECT
    *,
    whole(counted.uncached_input_tokens) AS fresh,
    whole(counted.cache_read_input_tokens) AS cache_read,
    whole(counted.cache_creation.ephemeral_1h_input_tokens) AS hour,
    whole(counted.cache_creation.ephemeral_5m_input_tokens) AS minutes,
    whole(counted.output_tokens) AS output_total
  FROM rows_of
),
checked AS (
  SELECT
    *,
    least(fresh, cache_read, hour, minutes) AS smallest,
    least(hour, minutes) AS least_written
  FROM counts
)
SELECT
  file,
  line,
  moment(starting_at) AS ts_start,
  moment(ending_at) AS ts_end,
  -- all that tells a row from the others: a bucket that was fetched again replaces the first
  concat_ws(
    '/',
    starting_at,
    ending_at,
    md5(
      json_merge_patch(
        grouping,
        '{
          "uncached_input_tokens": null, "cache_read_input_tokens": null, "cache_creation": null,
          "output_tokens": null, "server_tool_use": null, "requests": null, "total_tokens": null
        }'
      )::VARCHAR
    )
  ) AS source_id,
  'anthropic' AS provider,
  of.model AS model_served,
  CASE WHEN of.inference_geo = 'us' THEN 'usa' END AS zone,
  of.workspace_id AS project,
  of.rbac_group_id AS team,
  coalesce(
    of.actor.user_id,
    of.actor.service_account_id,
    of.actor.subject,
    of.actor.api_key_id,
    of.account_id,
    of.service_account_id,
    of.claude_tag_user_id
  ) AS "user",
  of.service_tier AS service_tier,
  'chat' AS operation,
  CASE
    WHEN smallest < 0 THEN smallest -- unreadable or negative: nothing to add to
    ELSE whole(
      fresh::HUGEINT + coalesce(cache_read, 0) + coalesce(hour, 0) + coalesce(minutes, 0)
    )
  END AS input_total,
  cache_read,
  CASE
    WHEN least_written < 0 THEN least_written
    ELSE whole(coalesce(hour, 0)::HUGEINT + coalesce(minutes, 0))
  END AS cache_write,
  output_total,
  coalesce(whole(counted.requests), 0) AS n_requests -- 0: not told
FROM checked
WHERE
  counted.uncached_input_tokens IS NOT NULL
  AND (
    of.model IS NOT NULL
    OR coalesce(fresh, 1) <> 0
    OR coalesce(cache_read, 0) <> 0
    OR coalesce(output_total, 1) <> 0
  )
