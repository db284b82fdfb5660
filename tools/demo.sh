#!/bin/sh
# ./dev demo: the secured server and the stand-in tenant in the foreground.
#   --once   start, make the scripted call, stop: for tests of the demo
#   call     the scripted call against a demo that runs
#   reset    stop a demo that runs and remove all it made
set -eu
cd "$(dirname "$0")/.."
home=build/demo
bin=build/bin

stop_demo() {
	[ -f "$home/pid" ] || return 0
	pid=$(cat "$home/pid")
	# Only a process that still is our server.
	case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
	*mcp-valet*serve*) kill "$pid" 2>/dev/null || true ;;
	esac
	rm -f "$home/pid"
}

explain() {
	url=$1
	tenant=$2
	cat <<TXT

mcp-valet is running. Nothing here needs an Azure account.

  MCP server        $url/mcp     (getUserDetails behind Entra ID sign-in)
  stand-in tenant   $tenant
  audit trail       $PWD/$home/audit.jsonl

Users of the stand-in (user name, password):
$("$bin/mcp-valet-tenant" --describe | jq -r '.users[] | "  \(.username)  \(.password)  (\(.display_name))"')

Try it in another terminal:
  ./dev demo call            a scripted sign-in and call, step by step

MCP Inspector (Node 22):
  npx @modelcontextprotocol/inspector
  → Transport "Streamable HTTP", URL $url/mcp, Connect

An IDE (.vscode/mcp.json, .cursor/mcp.json and alike):
  { "servers": { "valet-demo": { "type": "http", "url": "$url/mcp" } } }
A client of the older kind (HTTP+SSE): $url/sse

A client that speaks only over standard input and output; and there, a local
server with the same people (both may sign in at once, in one browser):
  { "mcpServers": {
    "valet-demo": { "command": "$PWD/$bin/mcp-valet",
      "args": ["connect", "$url/mcp", "--cache-file", "$PWD/$home/tokens"] },
    "me": { "command": "$PWD/$bin/mcp-valet",
      "args": ["stdio", "--cache-file", "$PWD/$home/tokens",
        "--tenant", "${tenant##*/}",
        "--client-id", "$("$bin/mcp-valet-tenant" --describe | jq -r .apps.public.id)",
        "--authority-host", "${tenant%/*}"] } } }

curl, to see the challenge that starts every sign-in:
  curl -i -X POST $url/mcp

Stop with Ctrl-C; ./dev demo reset removes everything.
TXT
}

# start ARG …: server in the background; sets pid, url, tenant.
start() {
	mkdir -p "$home"
	rm -f "$home/ready"
	"$bin/mcp-valet" serve --dev --audit "$PWD/$home/audit.jsonl" "$@" \
		>"$home/ready" 2>"$home/log" &
	pid=$!
	echo "$pid" >"$home/pid"
	tries=0
	while [ ! -s "$home/ready" ]; do
		tries=$((tries + 1))
		if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -gt 150 ]; then
			cat "$home/log" >&2
			exit 1
		fi
		sleep 0.1
	done
	url=$(jq -r .url "$home/ready")
	tenant=$(jq -r .tenant "$home/ready")
}

case ${1:-} in
'')
	start
	trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -f "$home/pid"; exit 0' INT TERM
	explain "$url" "$tenant"
	wait "$pid"
	;;
--once)
	start --listen localhost:0
	trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -f "$home/pid"' EXIT
	explain "$url" "$tenant"
	tools/demo-call.sh "$url"
	;;
call)
	shift
	tools/demo-call.sh "${1:-http://localhost:3001}"
	;;
reset)
	stop_demo
	rm -rf "$home"
	echo "the demo is gone"
	;;
*)
	echo "usage: ./dev demo [call|reset]" >&2
	exit 2
	;;
esac
