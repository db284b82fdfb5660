#!/bin/sh
# What libvalet shows is decided in review: packaging/libvalet.symbols, in the
# form of Debian's symbols files. It is what the installed headers declare, and
# what the build that $VALET_BIN is part of (default build/bin) shows.
#   symbols.sh          adds what the headers have, as of this version
#   symbols.sh --check  fails when list, headers, shared and static library are
#                       not of one mind
set -eu
cd "$(dirname "$0")/.."
list=packaging/libvalet.symbols
node=VALET_0 # packaging/libvalet.map
folder=$(dirname "${VALET_BIN:-build/bin}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$folder" --prefix "$work/usr" --component development >/dev/null
[ -e "$work/usr/include/valet/status.h" ] || {
	echo "$folder has no libvalet: build it first" >&2
	exit 1
}
# Without comments, and types of callbacks.
cat "$work"/usr/include/valet/*.h |
	sed '/^ \*/d; /^typedef [^;{]*;/d; /^typedef [^;{]*$/,/;/d' |
	grep -oE '\bvalet_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$work/declared"
if [ "${1:-}" != --check ]; then
	version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
	{
		grep -v '^ valet_' "$list"
		while read -r name; do
			grep "^ $name@" "$list" || echo " $name@$node $version"
		done <"$work/declared"
	} >"$work/list"
	cat "$work/list" >"$list"
	exit 0
fi

# same WHAT FILE: its lines are those of the list.
same() {
	diff -u --label "$list" --label "$1" "$work/listed" "$2" || {
		echo "$1 and $list differ" >&2
		exit 1
	}
}
sed -n 's/^ \(valet_.*\)@.*/\1/p' "$list" | sort >"$work/listed"
same 'the installed headers' "$work/declared"
libdir=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$folder/CMakeCache.txt")
nm -g --defined-only "$folder/$libdir/libvalet.a" | sed -n 's/.* [A-Z] //p' | sort >"$work/static"
same libvalet.a "$work/static"
# With the versions; a version is a symbol, too: VALET_0@VALET_0.
sed -n 's/^ \(.*@.*\) .*/\1/p' "$list" | sort >"$work/listed"
nm -D --defined-only "$folder/$libdir/libvalet.so.0" |
	sed 's/.* //; s/@@/@/; s/^VALET_.*/&@&/' | sort >"$work/shared"
same libvalet.so.0 "$work/shared"
