-- title: vLLM counters (Prometheus text)
-- kind: records
-- detect: json_extract_string(record, '$.name')[:5] = 'vllm:'
-- provides: A row is what one engine did between two scrapes, or since its start where there is
-- provides: one scrape alone; of several, the first is where counting begins. Counters that fall
-- provides: have restarted. Calls are those that ended; failed and aborted ones among them. Input
-- provides: includes cached tokens and those whose cache came from another server, which counts
-- provides: them as its own. Two servers must differ in a label, in the start of their process, or
-- provides: lie in files of several scrapes each.
WITH parsed AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      record,
      '{
        "name": "VARCHAR", "value": "DOUBLE", "time": "DOUBLE", "start": "DOUBLE", "line": "BIGINT",
        "scrape": "BIGINT",
        "labels": {
          "model_name": "VARCHAR", "engine": "VARCHAR", "source": "VARCHAR",
          "finished_reason": "VARCHAR"
        }
      }'
    ) AS sample,
    json_extract(record, '$.labels') AS labels
  FROM raw
)
SELECT
  file,
  coalesce(sample.line, line) AS line,
  sample.name AS name,
  sample.labels.model_name AS model,
  sample.labels.source AS source,
  sample.value AS value,
  sample.time AS scraped,
  sample.scrape AS scrape,
  sample.start AS started,
  labels::VARCHAR AS series,
  json_merge_patch(labels, '{"source": null, "finished_reason": null}')::VARCHAR AS server
FROM parsed
WHERE sample.name IN (
  'vllm:prompt_tokens_total', 'vllm:prompt_tokens_by_source_total',
  'vllm:prompt_tokens_cached_total', 'vllm:generation_tokens_total', 'vllm:request_success_total'
)
-- then
WITH spans AS (
  SELECT server, file, min(scraped) AS first_time, max(scraped) AS last_time
  FROM picked
  GROUP BY server, file
),
crossing AS (
  -- files whose times cross are of several servers that bear the same labels
  SELECT server, coalesce(bool_or(first_time < known_until), FALSE) AS is_crossing
  FROM (
    SELECT
      server,
      first_time,
      max(last_time) OVER (
        PARTITION BY server ORDER BY first_time, file
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS known_until
    FROM spans
  )
  GROUP BY server
),
streams AS (
  SELECT
    picked.*,
    CASE WHEN started IS NULL AND is_crossing THEN file END AS stream
  FROM picked
  JOIN crossing USING (server)
),
scrapes AS (
  SELECT
    server,
    stream,
    started,
    scraped,
    file,
    scrape,
    min(line) AS line,
    row_number() OVER (
      PARTITION BY server, stream, started ORDER BY scraped, file, min(line)
    ) AS place,
    lag(scraped) OVER (
      PARTITION BY server, stream, started ORDER BY scraped, file, min(line)
    ) AS before,
    count(*) OVER (PARTITION BY server) AS scrapes_of_server,
    min(scraped) OVER (PARTITION BY server) AS watched_since
  FROM streams
  GROUP BY server, stream, started, scraped, file, scrape
),
changes AS (
  SELECT
    scrapes.*,
    name,
    model,
    source,
    value,
    lag(value) OVER (
      PARTITION BY streams.server, streams.stream, streams.started, name, series ORDER BY place
    ) AS value_before
  FROM streams
  JOIN scrapes
    ON streams.server = scrapes.server
    AND streams.stream IS NOT DISTINCT FROM scrapes.stream
    AND streams.started IS NOT DISTINCT FROM scrapes.started
    AND streams.scraped IS NOT DISTINCT FROM scrapes.scraped
    AND streams.file = scrapes.file
    AND streams.scrape IS NOT DISTINCT FROM scrapes.scrape
),
increases AS (
  SELECT
    *,
    CASE
      WHEN value_before <= value THEN value - value_before
      -- the first scrape of several tells where counting begins, unless the process began later
      WHEN value_before IS NULL AND place = 1 AND scrapes_of_server > 1
        AND NOT coalesce(started >= watched_since, FALSE) THEN 0
      ELSE value
    END AS increase
  FROM changes
),
summed AS (
  SELECT
    file,
    line,
    model,
    started,
    scraped,
    before,
    sum(increase) FILTER (name = 'vllm:prompt_tokens_by_source_total') AS by_source,
    sum(increase) FILTER (name = 'vllm:prompt_tokens_total') AS prompt,
    sum(increase) FILTER (
      name = 'vllm:prompt_tokens_by_source_total' AND source <> 'local_compute'
    ) AS not_computed,
    sum(increase) FILTER (name = 'vllm:prompt_tokens_cached_total') AS cached,
    sum(increase) FILTER (name = 'vllm:generation_tokens_total') AS generated,
    sum(increase) FILTER (name = 'vllm:request_success_total') AS requests
  FROM increases
  GROUP BY file, line, model, server, stream, started, scraped, before, place
)
SELECT
  file,
  line,
  moment_s(CASE WHEN started > before OR before IS NULL THEN started ELSE before END) AS ts_start,
  moment_s(scraped) AS ts_end,
  'self' AS provider,
  model AS model_served,
  whole(coalesce(by_source, prompt)) AS input_total,
  whole(CASE WHEN by_source IS NULL THEN cached ELSE coalesce(not_computed, 0) END) AS cache_read,
  whole(generated) AS output_total,
  coalesce(whole(requests), 0) AS n_requests
FROM summed
WHERE coalesce(by_source, 0) + coalesce(prompt, 0) + coalesce(generated, 0)
  + coalesce(requests, 0) <> 0
