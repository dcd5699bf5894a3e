// What a run did, in the order it did it: model requests and tool runs. Fresh for every job.

export class Log {
  requests = [];
  toolRuns = [];

  /** Note that a tool's own code ran; `args` is the text the tool received, or a list of fields. */
  ran(tool, args, callId = null) {
    this.toolRuns.push({ tool, call_id: callId, arguments: args });
  }
}
