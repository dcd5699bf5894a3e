// A run that Node pauses and Python finishes: this part runs until a person is asked, and prints the
// state as the SDK writes it. examples/take_over.py reads it, asks, and goes on.
//
//     npm install @openai/agents zod
//     node pause.mjs "Refund order 7" > paused.json && python -m examples.take_over paused.json

import { run } from '@openai/agents';
import { agent } from './support.mjs';

const result = await run(agent(), process.argv[2] ?? 'Refund order 7');
if (!result.interruptions.length) throw new Error('nothing waits for a person');
process.stdout.write(result.state.toString());
