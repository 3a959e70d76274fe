-- title: OpenRouter generations and activity
-- kind: records
-- detect: (json_exists(record, '$.data.native_tokens_prompt')
-- detect: AND NOT starts_with(coalesce(json_extract_string(record, '$.data.id'), ''), 'gen_'))
-- detect: OR (json_exists(record, '$.native_tokens_prompt')
-- detect: AND NOT starts_with(coalesce(json_extract_string(record, '$.id'), ''), 'gen_'))
-- detect: OR json_exists(record, '$.data.nativeTokensPrompt')
-- detect: OR json_exists(record, '$.nativeTokensPrompt')
-- detect: OR json_exists(record, '$.data[0].model_permaslug')
-- detect: OR json_exists(record, '$.model_permaslug')
-- detect: OR json_exists(record, '$.data[0].modelPermaslug')
-- detect: OR json_exists(record, '$.modelPermaslug')
-- keep: last
-- provides: Tokens are the provider's own count, where there is one. Cached tokens are part of
-- provides: input, unless there are more of them than of it: then they are added; likewise reasoning.
-- provides: Activity is by day, with the number of requests and without cached tokens. The region
-- provides: through which a call was routed is not where the model ran. Answers of OpenRouter's own
-- provides: cache called no model and are left out.
WITH pages AS (
  SELECT file, line, record, from_json(record, '{"data": "JSON"}') AS page FROM raw
),
items AS (
  SELECT
    file,
    line,
    unnest(
      CASE
        WHEN json_type(page.data) = 'ARRAY' THEN from_json(page.data, '["JSON"]')
        ELSE [coalesce(page.data, record)]
      END
    ) AS item
  FROM pages
),
-- kept, or each condition further on would parse every record again
calls AS MATERIALIZED (
  SELECT
    file,
    line,
    from_json(
      item,
      '{
        "id": "VARCHAR", "model": "VARCHAR", "date": "VARCHAR", "requests": "VARCHAR",
        "usage": "VARCHAR", "latency": "VARCHAR", "cancelled": "VARCHAR",
        "created_at": "VARCHAR", "createdAt": "VARCHAR",
        "model_permaslug": "VARCHAR", "modelPermaslug": "VARCHAR",
        "endpoint_id": "VARCHAR", "endpointId": "VARCHAR",
        "provider_name": "VARCHAR", "providerName": "VARCHAR",
        "external_user": "VARCHAR", "externalUser": "VARCHAR",
        "workspace_id": "VARCHAR", "workspaceId": "VARCHAR",
        "service_tier": "VARCHAR", "serviceTier": "VARCHAR",
        "api_type": "VARCHAR", "apiType": "VARCHAR",
        "response_cache_source_id": "VARCHAR", "responseCacheSourceId": "VARCHAR",
        "total_cost": "VARCHAR", "totalCost": "VARCHAR",
        "generation_time": "VARCHAR", "generationTime": "VARCHAR",
        "num_media_completion": "VARCHAR", "numMediaCompletion": "VARCHAR",
        "native_tokens_prompt": "VARCHAR", "nativeTokensPrompt": "VARCHAR",
        "native_tokens_completion": "VARCHAR", "nativeTokensCompletion": "VARCHAR",
        "native_tokens_cached": "VARCHAR", "nativeTokensCached": "VARCHAR",
        "native_tokens_reasoning": "VARCHAR", "nativeTokensReasoning": "VARCHAR",
        "tokens_prompt": "VARCHAR", "tokensPrompt": "VARCHAR",
        "tokens_completion": "VARCHAR", "tokensCompletion": "VARCHAR",
        "prompt_tokens": "VARCHAR", "promptTokens": "VARCHAR",
        "completion_tokens": "VARCHAR", "completionTokens": "VARCHAR",
        "reasoning_tokens": "VARCHAR", "reasoningTokens": "VARCHAR"
      }'
    ) AS call
  FROM items
),
amounts AS (
  SELECT
    file,
    line,
    call,
    coalesce(call.api_type, call.apiType, 'completions') AS api,
    coalesce(call.model_permaslug, call.modelPermaslug) AS permaslug,
    coalesce(call.endpoint_id, call.endpointId) AS endpoint,
    coalesce(call.workspace_id, call.workspaceId) AS workspace,
    coalesce(call.generation_time, call.generationTime) AS took_ms,
    coalesce(call.response_cache_source_id, call.responseCacheSourceId) AS cached_from,
    -- a count of the provider's own tokenizer, else OpenRouter's, else that of a day's activity
    whole(
      coalesce(
        call.native_tokens_prompt, call.nativeTokensPrompt, call.tokens_prompt, call.tokensPrompt,
        call.prompt_tokens, call.promptTokens
      )
    ) AS given,
    whole(
      coalesce(
        call.native_tokens_completion, call.nativeTokensCompletion, call.tokens_completion,
        call.tokensCompletion, call.completion_tokens, call.completionTokens
      )
    ) AS generated,
    whole(coalesce(call.native_tokens_cached, call.nativeTokensCached)) AS cache_read,
    whole(
      coalesce(
        call.native_tokens_reasoning, call.nativeTokensReasoning, call.reasoning_tokens,
        call.reasoningTokens
      )
    ) AS reasoning
  FROM calls
)
SELECT
  file,
  line,
  moment(coalesce(call.created_at, call.createdAt, call.date)) AS ts_start,
  CASE
    WHEN permaslug IS NULL THEN call.id
    ELSE concat_ws('/', call.date, endpoint, permaslug, coalesce(workspace, '-'))
  END AS source_id,
  lower(coalesce(call.provider_name, call.providerName)) AS provider,
  CASE WHEN permaslug IS NOT NULL THEN call.model END AS model_requested,
  coalesce(permaslug, call.model) AS model_served,
  workspace AS project,
  coalesce(call.external_user, call.externalUser) AS "user",
  coalesce(call.service_tier, call.serviceTier) AS service_tier,
  CASE api
    WHEN 'completions' THEN 'chat'
    WHEN 'embeddings' THEN 'embeddings'
    WHEN 'image' THEN 'image_generation'
    WHEN 'video' THEN 'video_generation'
    WHEN 'tts' THEN 'audio'
    WHEN 'stt' THEN 'audio'
    ELSE api
  END AS operation,
  CASE
    WHEN given >= 0 AND cache_read > given THEN whole(given::HUGEINT + cache_read)
    ELSE given
  END AS input_total,
  cache_read,
  CASE
    WHEN generated >= 0 AND reasoning > generated THEN whole(generated::HUGEINT + reasoning)
    ELSE generated
  END AS output_total,
  reasoning,
  CASE
    WHEN api = 'image' THEN whole(coalesce(call.num_media_completion, call.numMediaCompletion))
  END AS images_out,
  CASE WHEN permaslug IS NULL THEN 1 ELSE coalesce(whole(call.requests), 0) END AS n_requests, -- 0: not told
  CASE WHEN number(took_ms) BETWEEN 0 AND 1e12 THEN number(took_ms) / 1000 END AS latency_s,
  number(coalesce(call.total_cost, call.totalCost, call.usage)) AS cost
FROM amounts
WHERE
  cached_from IS NULL
  AND (
    permaslug IS NOT NULL
    OR coalesce(call.native_tokens_prompt, call.nativeTokensPrompt, call.tokens_prompt) IS NOT NULL
    OR coalesce(call.native_tokens_completion, call.nativeTokensCompletion) IS NOT NULL
    OR coalesce(call.total_cost, call.totalCost) IS NOT NULL
  )
