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
# What tests drive in place of a product, by the same build.
build=$(dirname "$VALET_BIN")
[ ! -f "$build/CMakeCache.txt" ] ||
	cmake --build "$build" --target cache_shell >"$VALET_ARTEFACTS/cache_shell.log" 2>&1 ||
	{ cat "$VALET_ARTEFACTS/cache_shell.log" >&2; exit 1; }
cd tests/e2e
[ $# -gt 0 ] || set -- *.test.mjs
exec node --test --test-reporter=tap --test-concurrency=2 --test-timeout=180000 "$@"
