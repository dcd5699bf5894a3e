// A model that plays a script, the twin of tests/agents/model.py: which step comes next is read
// from the input alone, so a model made after a pause goes on where the one before it stopped.

import { Usage } from '@openai/agents';
import { convertToOutputItem, getInputItems } from './sdk.mjs';

const COUNTS = { inputTokens: 11, outputTokens: 7, totalTokens: 18 };
const DETAILS = {
  inputTokensDetails: { cached_tokens: 3, cache_write_tokens: 2 },
  outputTokensDetails: { reasoning_tokens: 5 },
};

export class ScriptExhausted extends Error {}

/** Plays `steps` for the agent it is named after: lists of Responses items, or "FINAL". */
export class ScriptedModel {
  constructor(name, steps, log) {
    Object.assign(this, { name, steps, log });
  }

  async getResponse(request) {
    const { output, responseId, requestId } = this.#answer(request);
    const usage = new Usage({ requests: 1, ...COUNTS, ...DETAILS });
    return { usage, output, responseId, requestId };
  }

  async *getStreamedResponse(request) {
    const { output, responseId, requestId } = this.#answer(request);
    yield { type: 'response_started' };
    const usage = { requests: 1, ...COUNTS, ...DETAILS };
    yield { type: 'response_done', response: { id: responseId, requestId, usage, output } };
  }

  #answer(request) {
    const items = getInputItems(request.input);
    this.log.requests.push({
      agent: this.name,
      input: structuredClone(items),
      previous_response_id: request.previousResponseId ?? null,
      conversation_id: request.conversationId ?? null,
      instructions: request.systemInstructions ?? null,
      tools: request.tools.map((tool) => tool.name),
      handoffs: request.handoffs.map((handoff) => handoff.toolName),
    });
    const answers = answered(items);
    const number = nextStep(this.steps, answers);
    if (number >= this.steps.length) throw new ScriptExhausted(this.name);
    const step = this.steps[number];
    const raw = step === 'FINAL' ? [this.#summary(answers, number)] : step;
    return {
      output: convertToOutputItem(structuredClone(raw)),
      responseId: `resp_${this.name}_${number}`,
      requestId: `req_${this.name}_${number}`,
    };
  }

  #summary(answers, number) {
    const text = `${this.name} saw ${JSON.stringify(Object.fromEntries(answers))}`;
    const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
    const id = `msg_${this.name}_${number}`;
    return { type: 'message', id, role: 'assistant', status: 'completed', content };
  }
}

/** Call id → output, for every call the input answers. */
function answered(items) {
  const answers = new Map();
  for (const item of items) {
    const kind = String(item.type ?? '');
    if (kind === 'mcp_approval_response') answers.set(item.approval_request_id, item.approve);
    else if (kind.endsWith('_output') && item.call_id) answers.set(item.call_id, item.output);
  }
  return answers;
}

function nextStep(steps, answers) {
  const asked = (item) => (item.type.endsWith('_output') ? undefined : (item.call_id ?? item.id));
  return 1 + steps.findLastIndex((step) => step !== 'FINAL' && step.some((item) => answers.has(asked(item))));
}
