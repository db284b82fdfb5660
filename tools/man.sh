#!/bin/sh
# Puts the list of options into docs/man/mcp-valet.yaml.5, from the option
# table (mcp-valet config man of $VALET_BIN, default build/bin).
#   man.sh          writes it
#   man.sh --check  fails when page and table differ
set -eu
cd "$(dirname "$0")/.."
page=docs/man/mcp-valet.yaml.5
options=$(mktemp)
new=$(mktemp)
trap 'rm -f "$options" "$new"' EXIT

"${VALET_BIN:-build/bin}/mcp-valet" config man >"$options"
awk -v options="$options" '
	/^\.\\" end: mcp-valet config man$/ { skip = 0 }
	!skip { print }
	/^\.\\" begin: mcp-valet config man$/ {
		skip = 1
		while ((getline line <options) > 0) print line
	}
' "$page" >"$new"
if [ "${1:-}" = --check ]; then
	cmp -s "$new" "$page" || {
		echo "$page does not list the options as they are: run tools/man.sh" >&2
		exit 1
	}
else
	cat "$new" >"$page"
fi
