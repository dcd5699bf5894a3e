// Jobs in, outcomes out, one JSON object per line: `node main.mjs SCENARIOS < jobs > outcomes`.

import { createInterface } from 'node:readline';
import { setTracingDisabled } from '@openai/agents';
import * as play from './play.mjs';
import { convertToOutputItem, getInputItems, invocations, SerializedRunState } from './sdk.mjs';

const KINDS = {
  pause: play.pause,
  resume: play.resume,
  reread: play.reread,
  session: play.sessionItems,
  // `toolName` is the tool's state key, `call` the raw item in this SDK's own form.
  fingerprint: async ({ toolName, call }) => (await invocations()).getToolInvocationFingerprint(toolName, call),
  callId: async ({ call }) => (await invocations()).getToolInvocationCallId(call) ?? null,
  toOutput: async ({ items }) => convertToOutputItem(items),
  toInput: async ({ items }) => getInputItems(items),
  // What the SDK's own reader finds wrong with a state: a list of places.
  schema: async ({ state }) => (SerializedRunState.safeParse(state).error?.issues ?? []).map((each) => each.path),
  about: async () => ({ node: process.versions.node }),
};

console.log = console.error; // stdout has outcomes and nothing else
setTracingDisabled(true);

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, ...job } = JSON.parse(line);
  let outcome;
  try {
    outcome = { value: await KINDS[kind](job) };
  } catch (error) {
    outcome = { thrown: [error.constructor.name, error.message] };
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
