#!/bin/sh
# A digest of the notes: how many there are, and the newest changes to them.
set -eu
echo "# Digest of the notes"
echo
echo "$(find notes -name '*.md' | wc -l | tr -d ' ') notes. The newest changes:"
echo
git log --max-count=5 --format='- %ad %s' --date=short -- notes
echo "digest written" >&2
