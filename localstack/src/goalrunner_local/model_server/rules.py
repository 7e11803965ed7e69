"""What the API asks of a request beyond its types. Each rule yields its complaints in the API's words.

Consecutive messages of one role break no rule: the API combines them. Two rules are stricter than the newest API:
a first assistant message and `max_tokens: 0` (which only fills the prompt cache) are refused, since here both can
only be mistakes. One is laxer: a closing assistant message is continued, though the newest models refuse it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from goalrunner_local.model_server.turns import Block, Turn, read_turns

type_of_body = Mapping[str, Any]
MAX_MESSAGES = 100_000
MAX_CACHE_POINTS = 4
MIN_THINKING_TOKENS = 1024
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_-]+")
