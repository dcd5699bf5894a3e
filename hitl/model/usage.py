"""What a run has cost."""

from __future__ import annotations

from attrs import frozen

from hitl.document import JSONObject, JSONValue


@frozen(kw_only=True)
class Usage:
    """Tokens and requests; of one response, or summed over a run.

    Attributes:
        requests: requests sent to the model.
        input_tokens, output_tokens, total_tokens: token counts.
        input_tokens_details, output_tokens_details: provider-specific counts, a list with one
            object per request or one for the sum; keys are the provider's own.
        entries: usage of each request, in order, where the writer kept it. An entry that says the
            same as a model response of this run is stored as `[first, last + 1]` of the responses.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.

    A field that is None was not written.
    """

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: JSONValue = None
    output_tokens_details: JSONValue = None
    entries: list[JSONValue] | None = None
    extra: JSONObject | None = None
