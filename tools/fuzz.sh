#!/bin/sh
# ./dev fuzz [SECONDS [NAME …]]: every fuzz target (or those whose name holds a
# NAME) for SECONDS (60), two at a time. What libFuzzer learns is kept in
# build/corpus/TARGET, beside the seeds of tests/fuzz/, and the words of a target
# are in fuzz_*.dict, if it has any; an input that broke a
# target is build/corpus/crashes/TARGET-…, what was said build/log/fuzz-TARGET.
set -u
cd "$(dirname "$0")/.." || exit 1
fuzzers=${VALET_FUZZERS:-build/fuzz/fuzzers}
crashes=build/corpus/crashes

# one SECONDS TARGET: one line; fails when the target does.
one() {
	name=$(basename "$2")
	room=${name%%_fuzz_*}
	seeds=tests/fuzz/$room/${name#"$room"_}.seeds
	corpus=build/corpus/$name
	log=build/log/fuzz-$name
	words=${seeds%.seeds}.dict
	[ -f "$words" ] && words=-dict=$words || words=
	mkdir -p "$corpus"
	# Only complaints of this run count.
	find "$crashes" -name "$name-*" -exec rm -f {} +
	if "$2" -max_total_time="$1" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		${words:+"$words"} -artifact_prefix="$crashes/$name-" "$corpus" "$seeds" >"$log" 2>&1; then
		awk -v name="$name" '
			/^stat::number_of_executed_units:/ { runs = $2 }
			/^stat::average_exec_per_sec:/ { speed = $2 }
			/cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
			END { printf "%-24s %10d runs, %7d a second, %5d edges\n", name, runs, speed, cov }
		' "$log"
		return 0
	fi
	echo "$name: FAILED, see $log"
	find "$crashes" -name "$name-*" | sed 's/^/  input: /'
	tail -n 40 "$log" | sed 's/^/  /'
	return 1
}

if [ "${1:-}" = --one ]; then
	one "$2" "$3"
	exit
fi

seconds=${1:-60}
case $seconds in
*[!0-9]* | '')
	echo "usage: ./dev fuzz [SECONDS [NAME …]]" >&2
	exit 2
	;;
esac
[ $# -eq 0 ] || shift
mkdir -p "$crashes" build/log
ASAN_SYMBOLIZER_PATH=$(command -v llvm-symbolizer-14 || true)
export ASAN_SYMBOLIZER_PATH

targets=$(mktemp)
lines=$(mktemp)
trap 'rm -f "$targets" "$lines"' EXIT
# Those that have a source: a target that was removed leaves its program.
for source in tests/fuzz/*/fuzz_*.c; do
	room=$(basename "$(dirname "$source")")
	name=${room}_$(basename "$source" .c)
	wanted=$([ $# -gt 0 ] || echo yes)
	for part in "$@"; do
		case $name in *"$part"*) wanted=yes ;; esac
	done
	[ -z "$wanted" ] || echo "$fuzzers/$name"
done >"$targets"
total=$(grep -c . "$targets")
# xargs ends with 123 if one failed; what failed is counted by its line.
xargs -P 2 -I '{}' "$0" --one "$seconds" '{}' <"$targets" | tee "$lines"
failed=$(grep -c '^[a-z_0-9]*: FAILED' "$lines")
passed=$(grep -cE ' runs, +[0-9]+ a second' "$lines")
[ $((passed + failed)) = "$total" ] || failed=$((total - passed))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
