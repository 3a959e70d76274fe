named AS (
  SELECT
    *,
    lower(coalesce(operation_said, CASE inference_kind
      WHEN 'LLM' THEN 'chat' WHEN 'EMBEDDING' THEN 'embeddings' WHEN 'RERANKER' THEN 'rerank'
      ELSE lower(inference_kind)
    END, CASE WHEN request_type <> 'unknown' THEN request_type END)) AS operation_word,
    coalesce(asked, CASE
      WHEN json_valid(parameters) THEN json_extract_string(parameters, '$.model')
    END) AS model_requested,
    lower(coalesce(provider_said, CASE WHEN starts_with(scope, 'vllm') THEN 'self' END))
      AS provider_word,
    coalesce(own_library, library) AS tracer
  FROM told
),
calls AS (
  SELECT
    * EXCLUDE (provider_word, operation_word),
    CASE
      WHEN operation_word IN ('image', 'images') THEN 'image_generation'
      WHEN operation_word = 'video' THEN 'video_generation'
      WHEN operation_word = 'embedding' THEN 'embeddings'
      WHEN operation_word = 'completion' THEN 'text_completion'
      ELSE operation_word
    END AS operation,
    CASE
      WHEN address LIKE '%.openai.azure.com%' OR address LIKE '%.services.ai.azure.com%'
        OR starts_with(provider_word, 'azure') OR starts_with(provider_word, 'az.ai') THEN 'azure'
      WHEN starts_with(provider_word, 'aws') OR provider_word = 'bedrock'
        OR address LIKE '%bedrock%.amazonaws.com%' THEN 'aws'
      WHEN starts_with(provider_word, 'gcp') OR starts_with(provider_word, 'google')
        OR provider_word IN ('vertex_ai', 'vertexai', 'gemini')
        OR address LIKE '%.googleapis.com%' THEN 'google'
      -- OpenAI's client library is used to call many others
      WHEN provider_word = 'openai' AND address LIKE '%api.x.ai%' THEN 'xai'
      WHEN provider_word = 'openai' AND address IS NOT NULL THEN coalesce(nullif(regexp_extract(
        address,
        '(deepseek|fireworks|groq|mistral|openrouter|perplexity|together)[.](ai|com|xyz)',
        1
      ), ''), 'openai')
      WHEN provider_word IN ('mistral_ai', 'mistralai') THEN 'mistral'
      WHEN provider_word = 'x_ai' THEN 'xai'
      WHEN provider_word IN ('vllm', 'ollama') THEN 'self'
      ELSE provider_word
    END AS provider
  FROM named
  WHERE CASE
    WHEN list_contains([
      'chat', 'generate_content', 'text_completion', 'completion', 'embeddings', 'embedding',
      'rerank', 'image', 'images', 'image_generation', 'video', 'video_generation', 'audio',
      'speech_to_text', 'text_to_speech', 'transcription', 'translation'
    ], operation_word) THEN TRUE
    -- a word of a later convention is a call if it has a model and counts, and is no whole of calls
    WHEN operation_word IS NOT NULL THEN coalesce(model_requested, answered) IS NOT NULL
      AND coalesce(input_said, output_said) IS NOT NULL
      AND NOT regexp_matches(
        operation_word,
        'agent|tool|workflow|task|chain|graph|crew|team|fetch|retriev|memory|evaluat|guard|plan'
      )
    ELSE loop_kind IS NULL AND coalesce(model_requested, answered) IS NOT NULL
      AND coalesce(input_said, output_said, provider_said) IS NOT NULL
  END
),
numbers AS (
  SELECT
    * EXCLUDE (input_said, output_said, total_said, read_said, written_said, thought_said),
    whole(input_said) AS input_counted,
    whole(output_said) AS output_counted,
    whole(total_said) AS total,
    whole(read_said) AS cache_read,
    whole(written_said) AS cache_write,
    whole(thought_said) AS reasoning,
    coalesce(is_error OR failure IS NOT NULL, FALSE) AS is_failed,
    coalesce(
      (scope = 'openlit.instrumentation.openai' OR (scope IS NULL AND tracer = 'openlit'))
      AND operation = 'chat' AND lower(is_stream) = 'true' AND read_said IS NULL,
      FALSE
    ) AS is_doubtful
  FROM calls
),
counted AS (
  SELECT
    *,
    coalesce(cache_read, 0)::HUGEINT + coalesce(cache_write, 0) AS cached,
    coalesce(
      least(input_counted, output_counted, total, cache_read, cache_write, reasoning) >= 0, TRUE
    ) AS is_sane,
    is_doubtful OR (input_counted IS NULL AND (total IS NULL OR output_counted IS NULL))
      AS no_input,
    is_doubtful OR (
      output_counted IS NULL AND (total IS NULL OR input_counted IS NULL)
      AND coalesce(operation, '') NOT IN ('embeddings', 'rerank')
    ) AS no_output
  FROM numbers
),
