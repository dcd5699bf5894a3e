// Pause, decide, resume with the real SDK, and everything that can be seen of it. The twin of
// tests/node/python.py, which says what a job and an outcome look like.

import * as sdk from '@openai/agents'; // by its parts: older releases do not have all of them
import { CASTS } from './definitions.mjs';
import { Log } from './log.mjs';
import { convertToOutputItem, getInputItems } from './sdk.mjs';

const MOST_PAUSES = 6;

const VERDICTS = {
  leave: () => {},
  approve: (state, item) => state.approve(item),
  always: (state, item) => state.approve(item, { alwaysApprove: true }),
  reject: (state, item) => state.reject(item),
  told: (state, item) => state.reject(item, { message: 'not today' }),
  never: (state, item) => state.reject(item, { alwaysReject: true, message: 'never' }),
};

const callId = (item) => item.rawItem.callId ?? item.rawItem.id ?? item.rawItem.providerData?.id;

const argumentsOf = (item) => item.arguments ?? item.rawItem.arguments ?? item.rawItem.providerData?.arguments ?? null;

const nameOf = (item) => item.name ?? item.rawItem.name ?? null;

function pending(state) {
  return state.getInterruptions().map((item) => [item.agent.name, nameOf(item), callId(item), argumentsOf(item)]);
}

/** Give the job's verdicts to what waits; true when there was one. */
function decide(state, { verdict = 'leave', exact = {} }) {
  const said = state.getInterruptions().map((item) => [item, exact[callId(item)] ?? verdict]);
  said.forEach(([item, word]) => VERDICTS[word](state, item));
  return said.some(([, word]) => word !== 'leave');
}

class Stage {
  constructor(job) {
    this.log = new Log();
    this.job = job;
    this.agent = CASTS[job.definition](this.log, job);
    this.stops = [];
    if (job.session) this.session = new sdk.MemorySession({ sessionId: 'sess_1', initialItems: job.session });
  }

  /** Run to the next pause or the end, drained. */
  async go(given, options = {}) {
    const session = this.session ? { session: this.session } : {};
    if (!this.job.streamed) return await sdk.run(this.agent, given, { ...options, ...session });
    const result = await sdk.run(this.agent, given, { ...options, ...session, stream: true });
    for await (const _ of result) { /* drained */ }
    await result.completed;
    return result;
  }

  async seen(result, error) {
    const items = await this.session?.getItems();
    const over = result && !result.interruptions?.length;
    return {
      requests: this.log.requests,
      tool_runs: this.log.toolRuns,
      stops: this.stops,
      final_output: over ? result.finalOutput : null,
      last_agent: result?.lastAgent?.name ?? null,
      items: items ?? null,
      session: items ? getInputItems(items) : null,
      state: result ? result.state.toString() : null,
      error: error ? [error.constructor.name, error.message] : null,
    };
  }
}

/** Run a definition to its first pause, give verdicts if the job has some, and write the state. */
export async function pause(job) {
  const stage = new Stage(job);
  const result = await stage.go(job.given, job.options);
  stage.stops.push(pending(result.state));
  if (job.staged) result.state.addInput(job.staged);
  decide(result.state, job);
  return await stage.seen(result, null);
}

/** Read a state, give verdicts, and go on until nothing waits or `legs` runs are done. */
export async function resume(job) {
  const stage = new Stage(job);
  let result;
  try {
    let state = await sdk.RunState.fromString(stage.agent, job.state);
    stage.stops.push(pending(state));
    for (let leg = 0; leg < (job.legs ?? MOST_PAUSES); leg += 1) {
      const decided = decide(state, job);
      result = await stage.go(state);
      state = result.state;
      if (!result.interruptions?.length) break;
      stage.stops.push(pending(state));
      if (!decided) break;
    }
  } catch (error) {
    return await stage.seen(undefined, error);
  }
  return await stage.seen(result, null);
}

/** A state as the SDK reads it and writes it again; nothing runs. */
export async function reread(job) {
  const stage = new Stage(job);
  return (await sdk.RunState.fromString(stage.agent, job.state)).toString();
}

/** Responses items as this SDK's session holds them; names of results are their calls'. */
export async function sessionItems({ items }) {
  const names = new Map(items.filter((item) => item.type === 'function_call').map((item) => [item.call_id, item.name]));
  return items.flatMap((item) => {
    if (item.role === 'user') return [{ ...item, type: 'message' }];
    if (item.type !== 'function_call_output') return convertToOutputItem([item]);
    const output = typeof item.output === 'string' ? { type: 'text', text: item.output } : item.output;
    const { call_id: id } = item;
    return [{ type: 'function_call_result', callId: id, name: names.get(id), status: 'completed', output }];
  });
}
