#!/bin/sh
# What libvalet shows is decided in review: packaging/libvalet.symbols (in the
# form of Debian's symbols files) against the build that $VALET_BIN is part of,
# default build/bin.
#   symbols.sh          adds what is new, as of this version
#   symbols.sh --check  fails when list, shared and static library and the
#                       installed headers are not of one mind
set -eu
cd "$(dirname "$0")/.."
list=packaging/libvalet.symbols
folder=$(dirname "${VALET_BIN:-build/bin}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
library=$(find "$folder" -maxdepth 3 -name 'libvalet.so.0' | head -n 1)
[ -n "$library" ] || {
	echo "no libvalet.so.0 in $folder: ./dev build" >&2
	exit 1
}

nm -D --defined-only "$library" | sed 's/.* //; s/@@/@/' | sort >"$work/shared"
if [ "${1:-}" != --check ]; then
	version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
	{
		echo 'libvalet.so.0 libvalet0 #MINVER#'
		while read -r symbol; do
			[ "${symbol#VALET_}" = "$symbol" ] || symbol=$symbol@$symbol
			grep -F " $symbol " "$list" || echo " $symbol $version"
		done <"$work/shared"
	} >"$work/list" 2>/dev/null
	cat "$work/list" >"$list"
	exit 0
fi

# same WHAT FILE: its lines are those of the list.
same() {
	diff -u --label "$list" --label "$1" "$work/listed" "$2" || {
		echo "$1 and $list differ: tools/symbols.sh, if that is wanted" >&2
		exit 1
	}
}
# The node itself is a symbol too: VALET_0@VALET_0.
sed -n 's/^ \([^ ]*\) .*/\1/p' "$list" | sed 's/^\(VALET_.*\)@.*/\1/' | sort >"$work/listed"
same "$library" "$work/shared"

sed '/^VALET_/d; s/@.*//' "$work/listed" >"$work/names" && mv "$work/names" "$work/listed"
nm -g --defined-only "${library%.so.0}.a" | sed -n 's/.* [A-Z] //p' | sort >"$work/static"
same "${library%.so.0}.a" "$work/static"
cmake --install "$folder" --prefix "$work/usr" --component development >/dev/null
# Without comments, and types of callbacks.
cat "$work"/usr/include/valet/*.h |
	sed '/^ \*/d; /^typedef [^;{]*;/d; /^typedef [^;{]*$/,/;/d' |
	grep -oE '\bvalet_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$work/declared"
same 'the installed headers' "$work/declared"
