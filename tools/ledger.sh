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
	git ls-files 'src/*.[ch]' 'include/*.h' 'tests/*.c' 'tests/*.mjs' | sort |
		xargs grep -noE '@spec[ A-Z0-9-]+([ *]+)?|(T-)?W-[0-9]+' 2>/dev/null |
		awk -F: '
			{
				file = $1
				text = $3
				# A W-number in the name of a test is a tag too.
				if (text !~ /@spec/ && file !~ /^tests\//) next
				n = split(text, words, /[^A-Z0-9-]+/)
				for (i = 1; i <= n; i++)
					if (words[i] ~ /^(S|W|RS|AS|HT|ST|CL|SB|EX)-[0-9]+$/) {
						id = words[i]
						split(id, part, "-")
						key = sprintf("%-2s-%03d", part[1], part[2])
						name[key] = id
						side = file ~ /^tests\// ? "t" : "c"
						if (!((key, side, file) in seen)) {
							seen[key, side, file] = 1
							short = file
							sub(/^src\//, "", short)
							sub(/^tests\//, "", short)
							list[key, side] = list[key, side] (list[key, side] ? ", " : "") short
						}
					}
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
	cp "$new" "$out"
fi
