// Tools that only say what they would have done, in the log; the twin of tests/agents/tools.py.

import * as sdk from '@openai/agents'; // by its parts: older releases do not have all of them

const TEXT = { type: 'string' };
const NUMBER = { type: 'number' };
const WEATHER = { temp: 3.5, flags: [true, null], nested: { camelKey: 1, snake_key: 2 } };

/** A schema of an object that has these properties and no others. */
export const schema = (properties) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** A function tool from a bare schema; `answer` makes the output from the arguments. */
export function functionTool(log, name, properties, answer, { needsApproval = false, strict = true } = {}) {
  return sdk.tool({
    name,
    description: `${name} tool`,
    parameters: { ...schema(properties), additionalProperties: !strict },
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

export const statFile = (log) =>
  functionTool(log, 'stat_file', { path: TEXT }, (given) => ({ path: given.path, size: 1, tags: ['a'] }));

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
  sdk.shellTool({
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
  return sdk.applyPatchTool({ ...options, editor: { createFile: edit, updateFile: edit, deleteFile: edit } });
}

export const hostedMcp = (requireApproval = 'always', serverLabel = 'deepwiki') =>
  sdk.hostedMcpTool({ serverLabel, serverUrl: 'https://mcp.example/x', requireApproval });

/** An MCP server inside this process with one tool; `answer` makes the text from the arguments. */
export class LocalMcp {
  cacheToolsList = false;

  constructor(log, name, tool, answer) {
    Object.assign(this, { log, name, tool, answer });
  }

  async connect() {}
  async close() {}
  async invalidateToolsCache() {}

  async listTools() {
    return [{ description: this.tool.name, ...this.tool }];
  }

  async callTool(name, given) {
    this.log.ran(name, given);
    return [{ type: 'text', text: this.answer(given) }];
  }
}

export const calculator = (log) =>
  new LocalMcp(log, 'calc', { name: 'add', inputSchema: schema({ a: NUMBER, b: NUMBER }) }, ({ a, b }) => String(a + b));
