#!/bin/sh
# Builds .venv from the hash-pinned requirements, with whichever Python 3.13 this machine has.
# `setup.sh uv` only provides uv, in .uv/.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}

is_313() {
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
}

find_python() {
    for candidate in "${PYTHON:-}" python3.13 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 /opt/pyenv/versions/3.13*/bin/python3.13; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && is_313 "$candidate"; then
            # The interpreter itself: a pyenv shim would follow the current folder's .python-version.
            "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
            return
        fi
    done
    if command -v uv >/dev/null 2>&1; then
        UV_PYTHON_DOWNLOADS=never uv python find --no-project 3.13 2>/dev/null || true
    fi
}

python=$(find_python)
[ -n "$python" ] || fail "Python 3.13 is needed, but $(python3 --version 2>/dev/null || echo none) was found." \
    "Install it, or name it: PYTHON=/path/to/python3.13 make setup"
touch .setup-writes-here 2>/dev/null || fail "$(pwd) is read-only; .venv is built here."
rm -f .setup-writes-here

if [ "${1:-}" != uv ] && command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.uv/bin/uv
    if ! $uv --version >/dev/null 2>&1; then
        echo "setup: fetching uv"
        rm -rf .uv
        "$python" -m venv .uv >/dev/null 2>&1 ||
            fail "$python has no venv module (Debian: apt-get install python3.13-venv)."
        .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt ||
            fail "uv could not be fetched; is the package index reachable?"
    fi
fi
[ "${1:-}" = uv ] && exit 0

echo "setup: building .venv with $python"
export UV_PYTHON_DOWNLOADS=never
if ! is_313 .venv/bin/python; then
    rm -rf .venv
    $uv venv --quiet --python "$python" .venv || fail ".venv could not be made."
fi
$uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements.txt requirements-dev.txt ||
    fail "the packages could not be installed; is the package index reachable?"
touch .venv/.complete
