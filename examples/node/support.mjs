// The agent of the examples in JavaScript, the twin of examples/support.py: it refunds orders, and
// asks a person before each refund. A state names agents and tools, so their names are the same.
//
// Without OPENAI_API_KEY a stand-in answers: it reads the conversation it is sent, as a model does.

import { appendFile } from 'node:fs/promises';
import { Agent, setTracingDisabled, tool, Usage } from '@openai/agents';

const refund = tool({
  name: 'refund',
  description: 'Pay an order back.',
  parameters: { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'], additionalProperties: false },
  needsApproval: true,
  execute: async ({ order }) => {
    await appendFile('refunds.log', `${order}\n`);
    return { order, refunded: true };
  },
});

/** Refunds every order the user names, then says what came of it. */
class StandIn {
  async getResponse({ input }) {
    return { output: answer(input), usage: new Usage() };
  }
}

function answer(input) {
  const outputs = typeof input === 'string' ? [] : input.filter((item) => item.type === 'function_call_result');
  if (outputs.length) {
    const text = outputs.map(({ output }) => output.text ?? output).join('; ');
    return [{ type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] }];
  }
  const said = typeof input === 'string' ? input : input[0].content;
  return said.match(/\d+/g).map((order) => {
    const given = JSON.stringify({ order: Number(order) });
    return { type: 'function_call', callId: `call_${order}`, name: 'refund', arguments: given, status: 'completed' };
  });
}

/** Build the agent, the same in every process. */
export function agent() {
  if (process.env.OPENAI_API_KEY) {
    return new Agent({ name: 'support', instructions: 'Refund what is asked for.', tools: [refund] });
  }
  setTracingDisabled(true); // there is nobody to send traces to
  return new Agent({ name: 'support', instructions: 'Refund what is asked for.', model: new StandIn(), tools: [refund] });
}
