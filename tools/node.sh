#!/bin/sh
# Node 22 and the npm packages of the end-to-end tests, exactly as pinned in
# tests/e2e/package-lock.json. Debian 12's own Node 18 only bootstraps npm.
set -eu
cd "$(dirname "$0")/.."

stamp=build/node/stamp
if [ -f "$stamp" ] && cmp -s tests/e2e/package-lock.json "$stamp"; then
	exit 0
fi
mkdir -p build/node/bin build/log
printf 'installing the npm packages of the tests\n' >&2
if ! (cd tests/e2e && npm ci --no-audit --no-fund --ignore-scripts) >build/log/npm 2>&1; then
	cat build/log/npm >&2
	exit 1
fi
case $(uname -m) in
aarch64) platform=arm64 ;;
*) platform=x64 ;;
esac
ln -sf "$PWD/tests/e2e/node_modules/node-linux-$platform/bin/node" build/node/bin/node
cp tests/e2e/package-lock.json "$stamp"
