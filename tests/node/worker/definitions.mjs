// The 30 definitions of tests/corpus/cross in JavaScript; their Python twins are in
// tests/agents/scenarios/cross.py. What they are given is in tests/node/definitions.py.

import { readFileSync } from 'node:fs';
import { Agent, handoff } from '@openai/agents';
import { ScriptedModel } from './model.mjs';
import { RECORDED } from './recorded.mjs';
import * as tools from './tools.mjs';

/** Definition → agent → steps; `$TRANSFER` is the handoff's default name, spelled as here. */
const SCRIPT = JSON.parse(
  readFileSync(process.argv[2], 'utf8').replaceAll('$TRANSFER', process.env.TRANSFER ?? 'transfer_to_Mailer'),
);

function agent(name, definition, log, options = {}) {
  const model = new ScriptedModel(name, SCRIPT[definition][name], log);
  return new Agent({ name, instructions: `You are ${name}.`, model, ...options });
}

const mailer = (definition) => (log) => agent('Mailer', definition, log, { tools: [tools.sendEmail(log)] });

function planner(definition, options = {}) {
  const all = [tools.getWeather, tools.getList, tools.getNumber, tools.sendEmail];
  return (log) => agent('Planner', definition, log, { tools: all.map((make) => make(log)), ...options });
}

function nested(log) {
  const researcher = agent('Researcher', 'nested', log, { tools: [tools.lookup(log)] });
  const ask = researcher.asTool({ toolName: 'ask_researcher', toolDescription: 'ask' });
  return agent('Orchestrator', 'nested', log, { tools: [ask] });
}

function handoffNamed(log) {
  const to = handoff(mailer('handoff')(log), { toolNameOverride: 'transfer_to_mailer' });
  return agent('Triage', 'handoff', log, { handoffs: [to] });
}

const handoffDefault = (log) =>
  agent('Triage', 'handoff_default', log, { handoffs: [mailer('handoff_default')(log)] });

function handoffPending(log) {
  const to = agent('Mailer', 'handoff_pending', log);
  return agent('Triage', 'handoff_pending', log, { tools: [tools.sendEmail(log)], handoffs: [to] });
}

function dupNames(log) {
  const worker = (order) => {
    const to = agent('Worker', 'dup_names', log, { instructions: order, tools: [tools.sendEmail(log)] });
    return handoff(to, { toolNameOverride: `transfer_to_${order}` });
  };
  return agent('Triage', 'dup_names', log, { handoffs: [worker('first'), worker('second')] });
}

function imageOut(log) {
  const image = { type: 'image', image: 'https://x/y.png', detail: 'high' };
  const inline = { type: 'image', image: { data: 'QUJD', mediaType: 'image/png' } };
  const file = { type: 'file', file: { id: 'file_1', filename: 'a.txt' } };
  const made = { get_image: image, get_inline: inline, get_file: file };
  const fixed = Object.entries(made).map(([name, output]) => tools.fixed(log, name, output));
  return agent('Planner', 'image_out', log, { tools: [tools.sendEmail(log), ...fixed] });
}

const guarded = planner('multi_turn', {
  inputGuardrails: [{ name: 'ig', execute: async () => ({ tripwireTriggered: false, outputInfo: { ok: true } }) }],
  outputGuardrails: [{ name: 'og', execute: async () => ({ tripwireTriggered: false, outputInfo: null }) }],
});

const parallel = (log) =>
  agent('Planner', 'parallel', log, { tools: [tools.getWeather(log), tools.sendEmail(log), tools.deleteFile(log)] });

const twoPauses = (log) =>
  agent('Mailer', 'two_pauses', log, { tools: [tools.sendEmail(log), tools.deleteFile(log)] });

const one = (name, definition, make) => (log) => agent(name, definition, log, { tools: [make(log)] });

const withEmail = (name, definition, ...makes) => (log) =>
  agent(name, definition, log, { tools: [tools.sendEmail(log), ...makes.map((make) => make(log))] });

/** One call of `send_email` with the job's arguments, whatever they are; see tests/node/spelled.py. */
function spelled(log, { call }) {
  const model = new ScriptedModel('Mailer', [[call], 'FINAL'], log);
  const email = tools.functionTool(log, 'send_email', {}, String, { needsApproval: true, strict: false });
  return new Agent({ name: 'Mailer', instructions: 'You are Mailer.', model, tools: [email] });
}

/** Name → the root agent, fresh, whose models and tools note what they do in the log. */
export const CASTS = {
  ...RECORDED,
  apply_patch: one('Patcher', 'apply_patch', (log) => tools.applyPatch(log, { needsApproval: true })),
  context: mailer('mailer'),
  conversation: mailer('mailer'),
  dup_names: dupNames,
  guard_session: guarded,
  guardrails: guarded,
  handoff: handoffNamed,
  handoff_default: handoffDefault,
  handoff_pending: handoffPending,
  hosted_items: withEmail('Mailer', 'hosted_items', () => tools.hostedMcp('never')),
  hosted_mcp: one('McpUser', 'hosted_mcp', () => tools.hostedMcp()),
  hosted_two: withEmail('McpUser', 'hosted_two', () => tools.hostedMcp()),
  image_out: imageOut,
  listinput: mailer('mailer'),
  local_done: withEmail('Operator', 'local_done', tools.shell, tools.applyPatch),
  local_mcp: (log) =>
    agent('McpLocal', 'local_mcp', log, { mcpServers: [tools.calculator(log)], tools: [tools.sendEmail(log)] }),
  multi_session: planner('multi_turn'),
  multi_turn: planner('multi_turn'),
  nested,
  parallel,
  parallel_session: parallel,
  pending_input: mailer('mailer'),
  plain: mailer('mailer'),
  prev_response: mailer('mailer'),
  reasoning: one('Mailer', 'reasoning', (log) => tools.sendEmail(log, { strict: false })),
  session: mailer('mailer'),
  spelled,
  shell: one('Operator', 'shell', (log) => tools.shell(log, { needsApproval: true })),
  streamed: mailer('mailer'),
  two_pauses: twoPauses,
  two_session: twoPauses,
};
