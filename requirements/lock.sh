#!/usr/bin/env bash
# Writes every requirements file anew from the pyproject files: `make lock`.
# uv.lock holds download addresses and stays out of the repository; the exported files hold names, versions and hashes.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
export UV_CUSTOM_COMPILE_COMMAND="make lock"
"$uv" lock --quiet "$@"
export_to() { "$uv" export --quiet --no-emit-workspace --no-header --format requirements-txt "${@:2}" > "$1"; }
export_to requirements/dev.txt --all-packages --all-groups
for service in services/*/; do
    name=$(basename "$service")
    export_to "$service/requirements.txt" --package "goalrunner-$name" --no-default-groups
done
for source in requirements/*.in; do
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$source" -o "${source%.in}.txt"
done
