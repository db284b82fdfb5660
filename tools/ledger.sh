#!/bin/sh
# Collects the @spec tags of code and tests into docs/spec-ledger.md.
#   ledger.sh          writes it
#   ledger.sh --check  fails when it is not up to date
set -eu
cd "$(dirname "$0")/.."
out=docs/spec-ledger.md
new=$(mktemp)
trap 'rm -f "$new"' EXIT

{
	cat <<'TXT'
# Requirements and where they are met

Made by `tools/ledger.sh` from the `@spec` tags; do not edit. The numbers are
those of the project's requirement lists: S (system), W (weaknesses that must
not be), RS, AS, HT, ST, CL, SB, EX (MCP). A row without a test, or without
code, is a gap to close or a rule that only the other side can show.

| Requirement | Code | Tests |
|---|---|---|
TXT
	# shellcheck disable=SC2016 # the program is awk's
	git ls-files 'src/*.[ch]' 'include/*.h' 'tests/*.c' 'tests/*.mjs' | sort |
		xargs awk '
			function note(id, key, part, side, short) {
				split(id, part, "-")
				key = sprintf("%-2s-%03d", part[1], part[2])
				name[key] = id
				side = FILENAME ~ /^tests\// ? "t" : "c"
				if ((key, side, FILENAME) in seen) return
				seen[key, side, FILENAME] = 1
				short = FILENAME
				sub(/^(src|tests)\//, "", short)
				list[key, side] = list[key, side] (list[key, side] ? ", " : "") short
			}
			# The numbers in a text, wherever they stand.
			function note_all(text, pattern) {
				while (match(text, pattern)) {
					note(substr(text, RSTART, RLENGTH))
					text = substr(text, RSTART + RLENGTH)
				}
			}
			# The numbers that a tag begins with; true if it may go on in the
			# next line.
			function note_tag(text, words, n, i, id) {
				n = split(text, words, /[ \t]+/)
				for (i = 1; i <= n; i++) {
					if (words[i] == "") continue
					id = words[i]
					sub(/[^A-Z0-9]+$/, "", id)
					if (id ~ ("^" any "$")) note(id)
					else if (id !~ /^[A-Z]?[0-9][0-9.-]*$/) return 0
					if (words[i] ~ /[).:;]$/) return 0
				}
				return 1
			}
			BEGIN { any = "(S|W|RS|AS|HT|ST|CL|SB|EX)-[0-9]+" }
			FNR == 1 { open = 0 }
			{
				line = $0
				if (open && line ~ /^[ \t]*(\*|\/\/)/) {
					text = line
					sub(/^[ \t]*(\*|\/\/)/, "", text)
					open = note_tag(text)
				} else open = 0
				while (at = index(line, "@spec")) {
					line = substr(line, at + 5)
					text = line
					if (at = index(text, "@spec")) text = substr(text, 1, at - 1)
					open = note_tag(text)
				}
				# A number in the name of a test is a tag too.
				if (FILENAME ~ /^tests\//)
					note_all($0, $0 ~ /(test|describe)\(/ ? any : "W-[0-9]+")
			}
			END {
				for (key in name) {
					c = list[key, "c"] ? list[key, "c"] : "–"
					t = list[key, "t"] ? list[key, "t"] : "–"
					printf "%s\t| %s | %s | %s |\n", key, name[key], c, t
				}
			}' | sort | cut -f2
} >"$new"

if [ "${1:-}" = --check ]; then
	cmp -s "$new" "$out" || { echo "docs/spec-ledger.md is out of date: run tools/ledger.sh" >&2; exit 1; }
else
	cat "$new" >"$out"
fi
