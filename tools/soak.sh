#!/bin/sh
# ./dev soak [SECONDS]: tests/e2e/soak/soak.mjs (the remote server) and
# tests/e2e/soak/local.mjs (what a person runs at their machine), side by side,
# against the programs with AddressSanitizer, or those in $VALET_BIN.
set -eu
cd "$(dirname "$0")/.."
case ${1:-120} in
*[!0-9]*)
	echo "usage: ./dev soak [SECONDS]" >&2
	exit 2
	;;
esac
VALET_BIN=${VALET_BIN:-$PWD/build/asan/bin}
PATH=$PWD/build/node/bin:$PATH
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-14 || true)
export VALET_BIN PATH ASAN_SYMBOLIZER_PATH
cd tests/e2e
node soak/local.mjs "${1:-120}" &
local=$!
trap 'kill "$local"' INT TERM
failed=0
node soak/soak.mjs "${1:-120}" || failed=1
wait "$local" || failed=1
exit "$failed"
