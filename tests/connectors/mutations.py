"""Hypothesis strategies that damage a payload as external systems do: nodes left out, or replaced by something else."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["", " ", "0", "-1", "abc", "1e999", "NaN", "9" * 50, "\x00", "\ud800", "0000-00-00 00:00:00", "x" * 5000]
    ),
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["id", "name", "sku", "0", "type"]) | st.text(max_size=3), inner, max_size=3),
    ),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn, payload: Any) -> Any:
    """The payload with one to three of its nodes deleted or replaced."""
    result = deepcopy(payload)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(result))
        if not places:
            break
        holder, step = draw(st.sampled_from(places))
        if draw(st.booleans()):
            del holder[step]
        else:
            holder[step] = draw(JUNK)
    return result


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    steps = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for step in list(steps):
        yield node, step
        yield from _places(node[step])
