#!/bin/sh
# docs/learn/one-sign-in.md, made by a run of the programs in build/bin or
# $VALET_BIN.
#   learn.sh          writes it
#   learn.sh --check  fails when it is not what a run tells
set -eu
cd "$(dirname "$0")/.."
VALET_BIN=${VALET_BIN:-$PWD/build/bin}
PATH=$PWD/build/node/bin:$PATH
export VALET_BIN PATH
exec node tests/e2e/learn/run.mjs "$@"
