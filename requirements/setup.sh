#!/usr/bin/env bash
# Makes .venv (everything that development needs, and the goalrunner command) and .venv-emulator (the AWS emulator, which
# pins a botocore of its own). Every package is checked against the hashes in the requirements files.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

fail() { echo "make setup: $1" >&2; exit 2; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$python is missing or older than 3.11: install Python 3.11 or newer, or type make setup PYTHON=python3.12"

environment() {
    [ -x "$1/bin/python" ] && return
    "$python" -m venv --without-pip "$1" 2>/dev/null ||
        fail "$python cannot make environments: install its venv module, apt install python3-venv for instance"
}

echo "setting up: .venv and .venv-emulator, from the hashed requirements (once, about a minute)" >&2
environment .venv
environment .venv-emulator
if [ ! -x .venv/bin/uv ]; then
    "$python" -m venv .venv/bootstrap || fail "$python has no ensurepip: apt install python3-venv, for instance"
    .venv/bootstrap/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r requirements/bootstrap.txt
    uv=.venv/bootstrap/bin/uv
else
    uv=.venv/bin/uv
fi
"$uv" pip install --quiet --python .venv/bin/python --require-hashes -r requirements/dev.txt
members=(events shared localstack services/*/)
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation "${members[@]/#/--editable=}"
"$uv" pip install --quiet --python .venv-emulator/bin/python --require-hashes -r requirements/emulator.txt
rm -rf .venv/bootstrap
touch .venv/ready
