#!/bin/sh
# Everything that has to hold, fast things first. Quiet while it is green;
# ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p build/log
passed=0
failed=0

say() { printf '%s\n' "$*"; }

# count NAME PASSED FAILED
count() {
	passed=$((passed + $2))
	failed=$((failed + $3))
	say "$1: $2 passed, $3 failed ($(($(date +%s) - started)) s)"
}

# failures LOG PATTERN: lines that name what failed, kept for the end, where
# whoever reads only that will find them.
failures() {
	grep -E "$2" "build/log/$1" | head -n 40 | sed "s/^/$1: /" >>build/log/failures
}

# step NAME COMMAND …: one pass or one failure.
step() {
	name=$1
	shift
	if "$@" >"build/log/$name" 2>&1; then
		count "$name" 1 0
	else
		tail -n 100 "build/log/$name"
		failures "$name" 'error|warning|FAILED'
		count "$name" 0 1
	fi
}

# suite NAME PRESET [REGEX]: builds, then every test of ctest (matching REGEX)
# counts.
suite() {
	if ! { cmake --preset "$2" && cmake --build --preset "$2"; } >"build/log/build-$1" 2>&1; then
		grep -E 'error|FAILED|warning' "build/log/build-$1" | head -n 40
		count "$1 (build)" 0 1
		return
	fi
	ctest --test-dir "build/$2" --output-on-failure -j "$(nproc)" ${3:+-R "$3"} >"build/log/$1" 2>&1
	good=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "build/log/$1")
	bad=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*' "build/log/$1")
	[ "$bad" = 0 ] || tail -n 150 "build/log/$1"
	[ "$bad" = 0 ] || failures "$1" '^\[  FAILED  \]|: error: |ERROR: |^ +[0-9]+ - .*\('
	[ "$good$bad" != 00 ] || bad=1
	count "$1" "$good" "$bad"
}

# end_to_end NAME PROGRAMS [FILE …]: node's own counts.
end_to_end() {
	name=$1
	VALET_BIN=$PWD/$2
	export VALET_BIN
	shift 2
	tools/e2e.sh "$@" >"build/log/$name" 2>&1
	good=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "build/log/$name" | tail -n 1)
	bad=$(sed -n 's/^# fail \([0-9]*\)$/\1/p' "build/log/$name" | tail -n 1)
	cancelled=$(sed -n 's/^# cancelled \([0-9]*\)$/\1/p' "build/log/$name" | tail -n 1)
	bad=$((${bad:-1} + ${cancelled:-0}))
	[ "$bad" = 0 ] || grep -E -B2 -A40 '^ *not ok' "build/log/$name" | head -n 300
	[ "$bad" = 0 ] || failures "$name" '^ *not ok|^ *error: |^ *location: '
	count "$name" "${good:-0}" "$bad"
}

started=$(date +%s)
: >build/log/failures
step lint tools/lint.sh
suite unit dev
suite asan asan
# The rooms whose threads meet.
TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp
export TSAN_OPTIONS
suite tsan tsan '^(io|store|guard)/|^talk/test_(serving|stdio|thread)|^http/test_group|^client/test_(client|stress)|^stdio/test_doorman|^browser/test_open'
# clang takes the whole tree too, with the fuzz targets.
step fuzz-build sh -c 'cmake --preset fuzz && cmake --build --preset fuzz'
step ledger tools/ledger.sh --check
step release sh -c 'cmake --preset release -DVALET_WERROR=ON && cmake --build --preset release'
step symbols tools/symbols.sh --check
step learn tools/learn.sh --check
end_to_end e2e build/bin
# Once more under ASan: random disconnects and malformed input leave nothing.
VALET_DISCONNECTS=10000
export VALET_DISCONNECTS
end_to_end e2e-asan build/asan/bin 83-attacks-crash.test.mjs
# And under TSan: sign-ins, calls, streams and revocations on four workers; and
# a program whose handlers have threads of their own.
end_to_end e2e-tsan build/tsan/bin 33-workers.test.mjs 63-clients.test.mjs
cat build/log/failures
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
