#!/usr/bin/env bash
# Renews the locked dependencies from pyproject.toml. Needs uv. Arguments go to uv, e.g. --upgrade.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compile() {
    uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate \
        --custom-compile-command "bash packaging/lock.sh" --group build "$@" pyproject.toml
}

compile --extra test -o packaging/requirements-test.lock "$@"
# The same versions as tested.
compile -c packaging/requirements-test.lock -o packaging/requirements.lock "$@"
