"""Lists every note with its title and length, and the links that lead nowhere."""

import os
import re
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)\)")


def broken_links(note: Path) -> list[str]:
    found = []
    for number, line in enumerate(note.read_text().splitlines(), start=1):
        for target in LINK.findall(line):
            if "://" not in target and not (note.parent / target).exists():
                found.append(f"- {note}:{number} links to {target}, which is not there")
    return found


def main() -> None:
    notes = sorted(Path("notes").rglob("*.md"))
    lines = ["# Index of the notes", "", "| note | title | words |", "| --- | --- | ---: |"]
    for note in notes:
        text = note.read_text()
        title = next((line[2:] for line in text.splitlines() if line.startswith("# ")), note.stem)
        lines.append(f"| [{note}](../../{note}) | {title} | {len(text.split())} |")
    broken = [finding for note in notes for finding in broken_links(note)]
    lines += ["", "## Links that lead nowhere", "", *(broken or ["None."]), ""]
    (Path(os.environ["GOALRUNNER_OUT"]) / "index.md").write_text("\n".join(lines))
    print(f"{len(notes)} notes, {len(broken)} broken links")


if __name__ == "__main__":
    main()
