// Writes sample.jsonl with the real OpenRouter SDK.
//
// Needs: @openrouter/sdk (made with 1.3.19). Run: `node make.mjs`, where it is installed.
// A server on 127.0.0.1 answers; a line is what the SDK returns, or the answer as it was sent.
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { OpenRouter } from '@openrouter/sdk';

const generation = (number, more) => ({
  data: {
    id: `gen-176355000${number}-abc`,
    upstream_id: `chatcmpl-${number}`,
    total_cost: 0.0123,
    cache_discount: null,
    upstream_inference_cost: 0,
    created_at: `2025-11-19T11:00:0${number}.000Z`,
    model: 'openai/gpt-4.1-2025-04-14',
    app_id: null,
    streamed: true,
    cancelled: false,
    provider_name: 'OpenAI',
    latency: 450,
    moderation_latency: null,
    generation_time: 3200,
    finish_reason: 'stop',
    native_finish_reason: 'stop',
    // the provider's own count beside OpenRouter's
    tokens_prompt: 1400,
    tokens_completion: 300,
    native_tokens_prompt: 1500,
    native_tokens_completion: 320,
    native_tokens_completion_images: 0,
    native_tokens_reasoning: 128,
    native_tokens_cached: 1024,
    num_media_prompt: null,
    num_input_audio_prompt: null,
    num_media_completion: null,
    num_search_results: null,
    num_fetches: null,
    web_search_engine: null,
    origin: '',
    usage: 0.0123,
    is_byok: false,
    external_user: 'user-1',
    api_type: 'completions',
    router: null,
    provider_responses: null,
    user_agent: null,
    http_referer: null,
    data_region: 'us',
    service_tier: 'default',
    preset_id: null,
    workspace_id: 'workspace-1',
    response_cache_source_id: null,
    ...more,
  },
});

const activity = {
  data: [
    {
      date: '2025-11-19',
      model: 'openai/gpt-4.1',
      model_permaslug: 'openai/gpt-4.1-2025-04-14',
      endpoint_id: 'endpoint-1',
      provider_name: 'OpenAI',
      usage: 1.25,
      byok_usage_inference: 0,
      requests: 42,
      prompt_tokens: 125000,
      completion_tokens: 21000,
      reasoning_tokens: 0,
    },
    {
      date: '2025-11-19',
      model: 'deepseek/deepseek-r1',
      model_permaslug: 'deepseek/deepseek-r1',
      endpoint_id: 'endpoint-2',
      provider_name: 'DeepInfra',
      usage: 0.5,
      byok_usage_inference: 0,
      requests: 7,
      prompt_tokens: 9000,
      completion_tokens: 30000,
      reasoning_tokens: 25000,
    },
  ],
};

const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  const answer = request.url.includes('/activity') ? activity : generation(1, {});
  response.end(JSON.stringify(answer));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const client = new OpenRouter({
  apiKey: 'none',
  serverURL: `http://127.0.0.1:${server.address().port}/api/v1`,
});
const lines = [
  await client.generations.getGeneration({ id: 'gen-1763550001-abc' }),
  await client.analytics.getUserActivity({}),
  generation(2, {}),
  // Anthropic through another provider, with more cached tokens than its own count of the prompt
  generation(3, {
    model: 'anthropic/claude-4.5-sonnet-20250929',
    provider_name: 'Amazon Bedrock',
    native_tokens_prompt: 1512,
    native_tokens_cached: 20000,
    native_tokens_reasoning: 0,
  }),
  // the answer of OpenRouter's own cache: no model was called
  generation(4, { response_cache_source_id: 'gen-1763550002-abc', total_cost: 0 }),
  generation(5, {
    model: 'google/gemini-2.5-flash-image',
    provider_name: 'Google',
    api_type: 'image',
    num_media_completion: 2,
    native_tokens_cached: null,
    native_tokens_reasoning: null,
  }),
  // no count by the provider
  generation(6, {
    native_tokens_prompt: null,
    native_tokens_completion: null,
    native_tokens_cached: null,
    native_tokens_reasoning: null,
  }),
  activity,
];
writeFileSync(
  new URL('sample.jsonl', import.meta.url),
  lines.map((line) => JSON.stringify(line) + '\n').join(''),
);
server.close();
