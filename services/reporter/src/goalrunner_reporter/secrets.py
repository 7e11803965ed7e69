"""What looks like a secret, in files and in texts that are on their way into the repository."""

import re

_SECRETS = {
    "an AWS access key": rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "an AWS secret key": rb"(?i:aws_?secret_?access_?key)[\"']?\s*[=:]\s*[\"']?[A-Za-z0-9/+=]{40}",
    "an Anthropic key": rb"\bsk-ant-[A-Za-z0-9_-]{8,}",
    "a private key": rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "a Telegram token": rb"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
}
_END_OF_KEY = rb"(?:.*?-----END [A-Z0-9 ]*-----|.*)"


def secret_in(content: bytes) -> str | None:
    """What kind of secret the content seems to hold; None where it holds none."""
    return next((name for name, pattern in _SECRETS.items() if re.search(pattern, content)), None)


def redacted(text: str) -> str:
    """The text with every secret replaced by its kind."""
    content = text.encode("utf-8", "surrogatepass")
    if secret_in(content) is None:
        return text
    for name, pattern in _SECRETS.items():
        whole = pattern + _END_OF_KEY if name == "a private key" else pattern
        content = re.sub(whole, f"[{name}, removed]".encode(), content, flags=re.DOTALL)
    return content.decode("utf-8", "surrogatepass")
