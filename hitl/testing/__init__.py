"""For your own tests: states and documents to draw, laws to assert; needs `hitl-sdk[testing]`.

| module | what it holds |
| --- | --- |
| `value` | strategies for JSON, Python and tagged values |
| `state` | strategies for run states and for documents of any dialect |
| `raw`, `taste` | what stands in them: raw items, and free places |
| `law` | assertions: what every run state and every document keeps |
| `mutation` | documents with one value missing, wrong or new |
| `stores` | the conformance kit that a third-party store runs in one line |
| `schemas` | the JSON Schema of the native document, made from the model's classes |

Nothing else in hitl imports this package.
"""

from hitl.testing.law import all_secrets, assert_document_kept, assert_round_trip
from hitl.testing.mutation import Mutation, additions, mutations
from hitl.testing.state import documents, run_states
from hitl.testing.value import json_values, python_values, tagged_values

__all__ = [
    "Mutation",
    "additions",
    "all_secrets",
    "assert_document_kept",
    "assert_round_trip",
    "documents",
    "json_values",
    "mutations",
    "python_values",
    "run_states",
    "tagged_values",
]
