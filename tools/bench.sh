#!/bin/sh
# The figures of docs/performance.md: ./dev bench [NAME …], see bench/run.mjs.
set -eu
cd "$(dirname "$0")/.."
VALET_BIN=${VALET_BIN:-$PWD/build/bin}
export VALET_BIN
cd tests/e2e
exec node bench/run.mjs "$@"
