// Writes sample.jsonl with the real AI SDK and its client of the AI Gateway.
//
// Needs: ai, @ai-sdk/gateway, @ai-sdk/openai, @ai-sdk/anthropic, zod (made with 6.0.326, 3.0.232,
// 3.0.141, 3.0.139, 4). Run: `node make.mjs`, where these are installed.
// A server on 127.0.0.1 answers; each line is what the SDK gives to `onFinish`, or what its
// client of the gateway returns, or (the last lines) the gateway's answer as it was sent.
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGateway } from '@ai-sdk/gateway';
import { createOpenAI } from '@ai-sdk/openai';
import { streamText, stepCountIs, tool } from 'ai';
import { z } from 'zod';

const SONNET = 'claude-sonnet-4-5-20250929';

const generation = (number, more) => ({
  data: {
    id: `gen_0${number}`,
    total_cost: 0.0123,
    upstream_inference_cost: 0,
    usage: 0.0123,
    created_at: `2025-11-19T11:00:0${number}.000Z`,
    model: 'anthropic/claude-sonnet-4.5',
    is_byok: false,
    provider_name: 'anthropic',
    streamed: true,
    finish_reason: 'stop',
    latency: 450,
    generation_time: 3200,
    native_tokens_prompt: 21512,
    native_tokens_completion: 320,
    native_tokens_reasoning: 128,
    native_tokens_cached: 20000,
    native_tokens_cache_creation: 1500,
    billable_web_search_calls: 0,
    ...more,
  },
});

const report = {
  results: [
    {
      model: 'openai/gpt-4o',
      total_cost: 12.5,
      market_cost: 12.5,
      input_tokens: 1250000,
      output_tokens: 210000,
      cached_input_tokens: 300000,
      cache_creation_input_tokens: 0,
      reasoning_tokens: 0,
      request_count: 420,
    },
    {
      model: 'openai/o4-mini',
      total_cost: 1.5,
      input_tokens: 9000,
      output_tokens: 48000,
      cached_input_tokens: 0,
      cache_creation_input_tokens: 0,
      reasoning_tokens: 41000,
      request_count: 12,
    },
  ],
};

// Anthropic's input leaves out what was read from the cache and written to it
const anthropicUsage = {
  input_tokens: 12,
  cache_creation_input_tokens: 1500,
  cache_read_input_tokens: 20000,
  output_tokens: 320,
};

const openaiChunks = (model, number, delta, finish, usage) => {
  const base = { id: `chatcmpl-${number}`, object: 'chat.completion.chunk', created: 1763550000 };
  return [
    { ...base, model, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...base, model, choices: [{ index: 0, delta: {}, finish_reason: finish }] },
    { ...base, model, choices: [], usage },
  ];
};

const anthropicEvents = () => [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: SONNET,
      content: [],
      stop_reason: null,
      usage: { ...anthropicUsage, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Bonjour.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 320 } },
  { type: 'message_stop' },
];

const openaiUsage = (prompt, completion, cached, reasoning) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
});

// the first answer asks for a tool, the second uses what it said
const openaiAnswer = (body) => {
  if (body.model === 'o4-mini') {
    const text = { role: 'assistant', content: 'Bonjour.' };
    return openaiChunks('o4-mini-2025-04-16', 3, text, 'stop', openaiUsage(150, 1200, 0, 1024));
  }
  const model = 'gpt-4o-2024-08-06';
  if (body.messages.some((message) => message.role === 'tool')) {
    const text = { role: 'assistant', content: 'Il fait beau.' };
    return openaiChunks(model, 2, text, 'stop', openaiUsage(1600, 40, 1024, 0));
  }
  const call = { name: 'weather', arguments: '{"city":"Paris"}' };
  const asked = { index: 0, id: 'call_1', type: 'function', function: call };
  const delta = { role: 'assistant', content: null, tool_calls: [asked] };
  return openaiChunks(model, 1, delta, 'tool_calls', openaiUsage(1500, 20, 0, 0));
};

const server = http.createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  const body = text ? JSON.parse(text) : {};
  if (request.url.startsWith('/v1/generation')) {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(generation(1, {})));
  } else if (request.url.startsWith('/v1/report')) {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(report));
  } else {
    const events = request.url.endsWith('/messages') ? anthropicEvents() : openaiAnswer(body);
    response.setHeader('content-type', 'text/event-stream');
    for (const event of events) {
      const name = event.type ? `event: ${event.type}\n` : '';
      response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
    }
    response.end(request.url.endsWith('/messages') ? '' : 'data: [DONE]\n\n');
  }
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const address = `http://127.0.0.1:${server.address().port}`;

const lines = [];
const openai = createOpenAI({ baseURL: `${address}/v1`, apiKey: 'none' });
const anthropic = createAnthropic({ baseURL: `${address}/v1`, apiKey: 'none' });
const gateway = createGateway({ baseURL: `${address}/v3/ai`, apiKey: 'none' });
const weather = tool({
  description: 'The weather of a city.',
  inputSchema: z.object({ city: z.string() }),
  execute: async () => 'sunny',
});

const logged = async (settings) => {
  const result = streamText({
    prompt: 'Bonjour ?',
    onFinish: (event) => {
      // of the event, without the texts: who was called, and what was counted
      const { model, finishReason, usage, totalUsage, response } = event;
      const steps = event.steps.map((step) => ({
        model: step.model,
        finishReason: step.finishReason,
        usage: step.usage,
        response: { ...step.response, messages: undefined, headers: undefined },
      }));
      const answered = { ...response, messages: undefined, headers: undefined };
      lines.push({ model, finishReason, usage, totalUsage, response: answered, steps });
    },
    ...settings,
  });
  await result.consumeStream();
};
await logged({ model: openai.chat('gpt-4o'), tools: { weather }, stopWhen: stepCountIs(3) });
await logged({ model: openai.chat('o4-mini') });
await logged({ model: anthropic(SONNET) });
delete lines[2].steps; // a log of the last answer only
lines.push(await gateway.getGenerationInfo({ id: 'gen_01' }));
const day = '2025-11-19';
lines.push(await gateway.getSpendReport({ startDate: day, endDate: day, groupBy: 'model' }));
// as the gateway sends them; in the second the cached tokens are beside the prompt's
lines.push(generation(1, { id: 'gen_02' }));
const served = { model: 'openai/gpt-5', provider_name: 'azure' };
lines.push(generation(2, { id: 'gen_03', native_tokens_prompt: 12, ...served }));
lines.push(report);
writeFileSync(
  new URL('sample.jsonl', import.meta.url),
  lines.map((line) => JSON.stringify(line) + '\n').join(''),
);
server.close();
