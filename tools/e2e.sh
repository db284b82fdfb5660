#!/bin/sh
# The end-to-end tests (node:test) against the release programs, or against
# those in $VALET_BIN.
set -eu
cd "$(dirname "$0")/.."
VALET_BIN=${VALET_BIN:-$PWD/build/bin}
VALET_ARTEFACTS=${VALET_ARTEFACTS:-$PWD/build/artefacts}
PATH=$PWD/build/node/bin:$PATH
export VALET_BIN VALET_ARTEFACTS PATH
mkdir -p "$VALET_ARTEFACTS"
cd tests/e2e
[ $# -gt 0 ] || set -- *.test.mjs
exec node --test --test-reporter=tap --test-concurrency=2 --test-timeout=180000 "$@"
