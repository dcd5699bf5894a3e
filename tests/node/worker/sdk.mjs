// Parts of the SDK that its packages do not export: the item mapping and the fingerprints. The
// paths are those of every release back to 0.2.1; fingerprints came with 0.15.0.

export { convertToOutputItem, getInputItems } from '../node_modules/@openai/agents-openai/dist/openaiResponsesModel.mjs';
export { SerializedRunState } from '../node_modules/@openai/agents-core/dist/runState.mjs';

export const invocations = () => import('../node_modules/@openai/agents-core/dist/toolInvocation.mjs');
