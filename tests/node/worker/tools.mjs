// Tools that only say what they would have done, in the log; the twin of tests/agents/tools.py.

import { applyPatchTool, hostedMcpTool, shellTool, tool } from '@openai/agents';

const TEXT = { type: 'string' };
const NUMBER = { type: 'number' };
const WEATHER = { temp: 3.5, flags: [true, null], nested: { camelKey: 1, snake_key: 2 } };

/** A function tool from a bare schema; `answer` makes the output from the arguments. */
export function functionTool(log, name, properties, answer, { needsApproval = false, strict = true } = {}) {
  return tool({
    name,
    description: `${name} tool`,
    parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: !strict },
    strict,
    needsApproval,
    execute: async (given, _context, details) => {
      log.ran(name, details.toolCall.arguments, details.toolCall.callId);
      return answer(given);
    },
  });
}

const asking = { needsApproval: true };

export const sendEmail = (log, options = {}) =>
  functionTool(log, 'send_email', { to: TEXT, subject: TEXT }, (given) => `sent to ${given.to}`, { ...asking, ...options });

export const deleteFile = (log) =>
  functionTool(log, 'delete_file', { path: TEXT }, (given) => `deleted ${given.path}`, asking);

export const lookup = (log) =>
  functionTool(log, 'lookup', { key: TEXT }, (given) => `value of ${given.key} is 42`, asking);

export const getWeather = (log) =>
  functionTool(log, 'get_weather', { city: TEXT }, (given) => ({ city: given.city, ...WEATHER }));

export const getList = (log) =>
  functionTool(log, 'get_list', { n: NUMBER }, (given) => Array.from({ length: given.n }, (_, i) => ({ i })));

export const getNumber = (log) => functionTool(log, 'get_number', { n: NUMBER }, (given) => given.n);

/** A tool without arguments that always gives the same. */
export const fixed = (log, name, output) => functionTool(log, name, {}, () => output);

export const shell = (log, options = {}) =>
  shellTool({
    ...options,
    shell: {
      run: async (action) => {
        log.ran('shell', [action.commands, action.timeoutMs, action.maxOutputLength]);
        const outcome = { type: 'exit', exitCode: 0 };
        return { output: [{ stdout: 'hi\n', stderr: '', outcome }], maxOutputLength: action.maxOutputLength };
      },
    },
  });

export function applyPatch(log, options = {}) {
  const edit = async (operation) => {
    log.ran('apply_patch', [operation.type, operation.path, operation.diff]);
    return { status: 'completed', output: `patched ${operation.path}` };
  };
  return applyPatchTool({ ...options, editor: { createFile: edit, updateFile: edit, deleteFile: edit } });
}

export const hostedMcp = (requireApproval = 'always') =>
  hostedMcpTool({ serverLabel: 'deepwiki', serverUrl: 'https://mcp.example/x', requireApproval });

/** An MCP server inside this process with one tool, which adds. */
export class Calculator {
  cacheToolsList = false;
  name = 'calc';

  constructor(log) {
    this.log = log;
  }

  async connect() {}
  async close() {}
  async invalidateToolsCache() {}

  async listTools() {
    const inputSchema = { type: 'object', properties: { a: NUMBER, b: NUMBER }, required: ['a', 'b'], additionalProperties: false };
    return [{ name: 'add', description: 'add', inputSchema }];
  }

  async callTool(name, given) {
    this.log.ran(name, given);
    return [{ type: 'text', text: String(given.a + given.b) }];
  }
}
