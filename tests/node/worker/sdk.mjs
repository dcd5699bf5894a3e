// Parts of the SDK that its packages do not export: the item mapping and the fingerprints. The
// paths are those of the release in package.json; another release may keep them elsewhere.

export { convertToOutputItem, getInputItems } from '../node_modules/@openai/agents-openai/dist/openaiResponsesModel.mjs';
export {
  getToolInvocationCallId,
  getToolInvocationFingerprint,
} from '../node_modules/@openai/agents-core/dist/toolInvocation.mjs';
export { SerializedRunState } from '../node_modules/@openai/agents-core/dist/runState.mjs';
