#!/bin/sh
# The rules of the house that a compiler does not know. Each prints what it
# found; any finding fails.
set -u
cd "$(dirname "$0")/.." || exit 1
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# report RULE: reads findings from standard input. It runs at the end of a
# pipe, in a shell of its own: what it found has to go through a file.
report() {
	findings=$(cat)
	[ -n "$findings" ] || return 0
	printf '%s\n%s\n\n' "lint: $1" "$findings" | tee -a "$found"
}

sources() { git ls-files -co --exclude-standard 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]' 'examples/*.c'; }
production() { git ls-files -co --exclude-standard 'src/*.[ch]' 'include/*.h'; }
# only_in PATTERN FOLDERS: files outside FOLDERS that include PATTERN.
only_in() { production | xargs grep -lE "#include <($1)" | grep -vE "^src/($2)"; }

sources | xargs clang-format-14 --dry-run 2>&1 | grep 'warning:' | cut -d: -f1 | sort -u | report "not formatted (./dev format)"
only_in 'openssl/' 'crypto/|io/tls' | report "OpenSSL belongs to crypto/"
only_in 'uv\.h' 'io/' | report "libuv belongs to io/"
only_in 'jansson\.h' 'json/' | report "jansson belongs to json/"
only_in 'sqlite3\.h' 'store/' | report "SQLite belongs to store/"
only_in 'yaml\.h' 'conf/' | report "libyaml belongs to conf/"
only_in 'libsecret/|glib|gio/' 'keep/modules/' | report "libsecret belongs to keep/modules/"
only_in 'systemd/' 'broker/modules/' | report "libsystemd belongs to broker/modules/"
only_in 'pcre2\.h' 'json/pattern_library' | report "PCRE2 belongs to json/pattern"
only_in 'curl/' 'http/fetch' | report "libcurl belongs to http/fetch"
production | grep '\.c$' | xargs wc -l | awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }' | report "a file over 600 lines: find the second room in it"
production | grep '^src.*\.h$' | xargs wc -l | awk '$2 != "total" && $1 > 240 { print $2 ": " $1 " lines" }' | report "a header over 240 lines"
production | xargs grep -nE '\bgoto\b' | report "goto"
production | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b' | report "unfinished work"
production | xargs grep -LE 'SPDX-License-Identifier: Apache-2.0' | report "no licence line"
# shellcheck disable=SC2016 # the program is awk's
production | grep '\.c$' | xargs awk '
	FNR == 1 { start = 0; open = 0 }
	/^[A-Za-z_].*\(/ && !/;[ \t]*$/ { name = $0; start = FNR }
	/^\{/ { if (start) open = start }
	/^\}/ { if (open) { n = FNR - open + 1; if (n > 70) { sub(/\(.*/, "", name); print FILENAME ":" open ": " name " has " n " lines" } open = 0; start = 0 } }
' | report "a function over 70 lines"
git ls-files -co --exclude-standard | grep -vE '^(LICENSE|tools/lint.sh)$' | xargs grep -nIE '(registry\.npmjs\.org|/work/|deb\.debian\.org)' | report "addresses and paths that are not the project's"
git ls-files -co --exclude-standard dev 'tools/*.sh' .ci/run | xargs shellcheck | report "shellcheck"
[ ! -d docs/man ] || git ls-files -co --exclude-standard 'docs/man/*' | xargs -r mandoc -Tlint -Wwarning | report "mandoc"
# Pages name files of src/ as room/file, with or without its ending.
# shellcheck disable=SC2016 # backquotes of Markdown
rooms=$(sed -n 's/^valet_module(\([a-z]*\).*/\1/p' src/CMakeLists.txt | paste -sd '|')
for page in README.md ARCHITECTURE.md CONTRIBUTING.md SECURITY.md docs/msal.md docs/mcp-server.md docs/learn/*.md; do
	grep -oE "(^|[^./a-z])($rooms|apps)/[a-z_]+(/[a-z_]+)?(\.[ch])?" "$page" | sed 's/^[^a-z]//' | sort -u | while read -r name; do
		for file in "src/$name" "src/$name.c" "src/$name.h"; do
			[ ! -e "$file" ] || continue 2
		done
		echo "$page: $name"
	done
	# shellcheck disable=SC2016
	grep -oE '`(tests|tools|docs|include|src|cmake|packaging|completions)/[^`< ]*`|\]\([^):#]+' "$page" |
		sed 's/^`//; s/`$//; s/^](//' | grep -vxE 'https?' | sort -u | while read -r name; do
		# A pattern stands for at least one file.
		# shellcheck disable=SC2086
		set -- $name
		[ -e "$1" ] || [ -e "$(dirname "$page")/$1" ] || echo "$page: $name"
	done
	grep -oE '\bvl_[a-z_]+' "$page" | sort -u | while read -r name; do
		git grep -qwF "$name" -- src || echo "$page: $name"
	done
done | report "a page names what is not there"
[ ! -s "$found" ]
