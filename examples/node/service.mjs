// A Node service that takes runs which another process paused, lets a person approve them, and
// finishes them. Runs come from Python: examples/hand_over.py sends one and approves it.
//
//     npm install @openai/agents zod && node service.mjs        (prints where it listens)
//
//     POST /runs          a state for this SDK, as hitl.convert writes it; says what waits
//     POST /runs/1/yes    approve every call of the run, finish it, give the answer
//
// The runs are in memory, so this service forgets them when it stops.

import { createServer } from 'node:http';
import { run, RunState } from '@openai/agents';
import { agent } from './support.mjs';

const runs = new Map();

async function take(text) {
  const state = await RunState.fromString(agent(), text);
  const id = String(runs.size + 1);
  runs.set(id, text);
  return { id, waiting: state.getInterruptions().map((item) => ({ tool: item.name, arguments: item.arguments })) };
}

async function approve(id) {
  const text = runs.get(id);
  if (!text) return { error: 'no run waits under this id' };
  runs.set(id, null); // before anything runs: two requests are one approval
  const root = agent();
  const state = await RunState.fromString(root, text);
  for (const item of state.getInterruptions()) state.approve(item);
  const result = await run(root, state);
  return { answer: result.finalOutput };
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

async function handle(request) {
  const [, , id, verb] = request.url.split('/');
  if (request.method === 'POST' && request.url === '/runs') return take(await body(request));
  if (request.method === 'POST' && verb === 'yes') return approve(id);
  return { error: 'POST /runs, or POST /runs/ID/yes' };
}

const server = createServer(async (request, response) => {
  const given = await handle(request).catch((error) => ({ error: error.message }));
  response.writeHead(given.error ? 400 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(given));
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
