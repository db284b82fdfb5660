#!/bin/sh
# Runs commands of the README in a clean Debian 12: a root made by mmdebstrap,
# main cloned into it, nothing else carried along but the host's certificates
# and package sources. Without arguments: ./dev demo (until it answers), then
# ./dev check.  newcomer.sh COMMAND …: that command instead of both.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { printf 'newcomer: needs root (mmdebstrap, chroot)\n' >&2; exit 1; }
[ -n "$(command -v mmdebstrap)" ] || { printf 'newcomer: mmdebstrap is missing\n' >&2; exit 1; }

root=$(mktemp -d "${TMPDIR:-/tmp}/newcomer.XXXXXX")
cleanup() {
	for at in dev/shm dev/pts dev proc; do
		umount -l "$root/$at" 2>/dev/null || true
	done
	rm -rf --one-file-system "$root"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

printf 'newcomer: making a clean Debian 12 in %s\n' "$root" >&2
mmdebstrap --quiet --variant=apt --include=ca-certificates,git bookworm "$root" >&2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
# Else what is unmounted here in the end would be unmounted outside too.
mount --make-rslave "$root/dev"
# The host's certificates: some networks have an authority of their own.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
[ ! -f /root/.npmrc ] || grep -E '^(registry|cafile|proxy|https-proxy)' /root/.npmrc >"$root/root/.npmrc" || true
git clone --quiet --no-local . "$root/root/mcp-valet"

inside() {
	chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
		sh -c "cd /root/mcp-valet && $1"
}

if [ $# -gt 0 ]; then
	inside "$*"
else
	inside './dev demo --once'
	inside './dev check'
fi
