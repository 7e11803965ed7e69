from collections.abc import Callable

import pytest

from goalrunner_shared.goals.parse import ParsedGoal, parse_goal

BODY = """## Outcome
A flat, found.

## Acceptance criteria
- [ ] AC1 A shortlist of five ads,
  each with a link
- [x] A note on each
* [X] #7: Prices

```text
## Not a heading
- [ ] AC9 not a criterion
```

## Constraints
Write to nobody.

## Wishes ##
A balcony.

## Guidance
Prefer Alfama.
"""


@pytest.fixture
def goal_bytes() -> Callable[..., bytes]:
    """Make a goal file's bytes from its id and further lines of front matter."""

    def make(goal_id: str = "lisbon-flat", *lines: str, body: str = BODY) -> bytes:
        front = "\n".join(("---", f"id: {goal_id}", "title: Find a flat", *lines, "---", ""))
        return (front + body).encode("utf-8")

    return make


@pytest.fixture
def parsed(goal_bytes: Callable[..., bytes]) -> Callable[..., ParsedGoal]:
    """Make a parsed goal from its id and further lines of front matter."""

    def make(goal_id: str = "lisbon-flat", *lines: str, folder: str = "goals") -> ParsedGoal:
        return parse_goal(f"{folder}/{goal_id}.md", goal_bytes(goal_id, *lines))

    return make
