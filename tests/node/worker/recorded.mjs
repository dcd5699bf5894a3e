// The agents of the states that every release of the Python SDK recorded; their twins are in
// tests/agents/scenarios/release.py.

import { Agent } from '@openai/agents';
import { ScriptedModel } from './model.mjs';
import * as tools from './tools.mjs';

function call(name, given, id) {
  const spaced = JSON.stringify(given).replaceAll(':', ': '); // as Python writes it
  return { type: 'function_call', id: `fc_${id}`, call_id: id, name, arguments: spaced, status: 'completed' };
}

/** An agent that answers with `steps`; no instructions, as in Python. */
function agent(name, log, steps, options) {
  return new Agent({ name, model: new ScriptedModel(name, steps, log), ...options });
}

function ops(log) {
  const thought = { type: 'reasoning', id: 'rs_1', summary: [] };
  const step = [thought, call('stat_file', { path: '/x' }, 'call_s'), call('delete_file', { path: '/x' }, 'call_d')];
  return agent('ops', log, [step, 'FINAL'], { tools: [tools.deleteFile(log), tools.statFile(log)] });
}

function nested(log) {
  const inner = agent('worker', log, [[call('delete_file', { path: '/z' }, 'call_in')], 'FINAL'], { tools: [tools.deleteFile(log)] });
  const tool = inner.asTool({ toolName: 'worker_tool', toolDescription: 'd' });
  return agent('boss', log, [[call('worker_tool', { input: 'z' }, 'call_out')], 'FINAL'], { tools: [tool] });
}

function handoff(log) {
  const spec = agent('spec', log, [[call('delete_file', { path: '/z' }, 'call_d')], 'FINAL'], { tools: [tools.deleteFile(log)] });
  return agent('triage', log, [[call('transfer_to_spec', {}, 'call_h')]], { handoffs: [spec] });
}

function native(log) {
  const shell = { type: 'shell_call', id: 'sh_1', call_id: 'call_sh', status: 'completed', action: { commands: ['ls'], timeout_ms: 1000 } };
  const operation = { type: 'update_file', path: 'a.py', diff: '-a\n+b\n' };
  const patch = { type: 'apply_patch_call', id: 'ap_1', call_id: 'call_ap', status: 'completed', operation };
  const both = [tools.shell(log, { needsApproval: true }), tools.applyPatch(log, { needsApproval: true })];
  return agent('ops', log, [[shell, patch], 'FINAL'], { tools: both });
}

function hostedMcp(log) {
  const request = { type: 'mcp_approval_request', id: 'mcpr_1', name: 'search', arguments: '{}', server_label: 'gitmcp' };
  return agent('ops', log, [[request], 'FINAL'], { tools: [tools.hostedMcp('always', 'gitmcp')] });
}

function localMcp(log) {
  const server = new tools.LocalMcp(log, 'srv', { name: 'mtool', inputSchema: tools.schema({}) }, () => 'ok');
  return agent('ops', log, [[call('mtool', {}, 'call_m')], 'FINAL'], { mcpServers: [server] });
}

const final = (log) => agent('ops', log, ['FINAL'], { tools: [tools.deleteFile(log), tools.statFile(log)] });

const BY_STEM = {
  always: ops,
  always_rejected: ops,
  approved: ops,
  auto_previous: ops,
  conversation_id: ops,
  final,
  handoff,
  hosted_mcp: hostedMcp,
  hosted_mcp_always: hostedMcp,
  local_mcp: localMcp,
  native,
  nested,
  nested_approved: nested,
  plain: ops,
  previous_response_id: ops,
  rejected: ops,
  session: ops,
  streamed: ops,
};

export const RECORDED = Object.fromEntries(Object.entries(BY_STEM).map(([stem, cast]) => [`recorded/${stem}`, cast]));
