#!/bin/sh
# A scripted MCP client and browser: every HTTP step of a sign-in and of one
# tool call, in short. Tokens, codes and cookies are shown cut.
# usage: demo-call.sh URL [TOOL [ARGUMENTS]]   e.g. http://localhost:3001
# Of another tool than getUserDetails, with arguments as JSON.
set -eu
base=${1%/}
tool=${2:-getUserDetails}
arguments=${3:-}
[ -n "$arguments" ] || arguments='{}'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
step=0

# Cuts what must not be shown whole.
redact() { sed -E 's/(mv(at|rt|ac)_[A-Za-z0-9_-]{4})[A-Za-z0-9_.-]*/\1…/g; s/((code|state|nonce|code_challenge|code_verifier|flow|csrf|session_state)=)[^& "]*/\1…/g'; }

# http TITLE CURL-ARGS…: one request; head in $work/head, body in $work/body.
http() {
	step=$((step + 1))
	title=$1
	shift
	curl -sS -m 20 -b "$work/jar" -c "$work/jar" -D "$work/head" -o "$work/body" "$@"
	status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$work/head")
	printf '%2d. %s\n    → %s\n' "$step" "$title" "$status"
}

show() { printf '%s\n' "$1" | redact | cut -c1-240 | sed 's/^/      /'; }
die() { printf 'demo call: %s\n' "$1" >&2; exit 1; }
header() { sed -n "s/^$1: *//Ip" "$work/head" | tr -d '\r' | head -n 1; }
json() { jq -r "$1" <"$work/body"; }
unescape() { sed 's/&quot;/"/g; s/&#39;/'"'"'/g; s/&#x27;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'; }
field() { sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" "$work/body" | head -n 1 | unescape; }
form_action() { sed -n 's/.*<form[^>]*action="\([^"]*\)".*/\1/p' "$work/body" | head -n 1 | unescape; }
move_on() { sed -n 's/.*http-equiv="refresh" content="0; *url=\([^"]*\)".*/\1/p' "$work/body" | head -n 1 | unescape; }
param() { printf '%s' "$2" | sed -n "s/.*[?&]$1=\([^&]*\).*/\1/p"; }
b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
expect() { [ "$status" = "$1" ] || { head -c 600 "$work/body" >&2; die "expected HTTP $1, got $status"; }; }

rpc() { # rpc TITLE JSON
	http "$1" -X POST "$base/mcp" -H "Authorization: Bearer $token" \
		-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
		${session:+-H "Mcp-Session-Id: $session"} --data "$2"
}

http "MCP client: POST /mcp without a token" -X POST "$base/mcp" \
	-H 'Content-Type: application/json' --data '{"jsonrpc":"2.0","id":1,"method":"ping"}'
expect 401
show "$(header www-authenticate)"
metadata=$(header www-authenticate | sed -n 's/.*resource_metadata="\([^"]*\)".*/\1/p')

http "MCP client: what protects this resource? GET $metadata" "$metadata"
expect 200
resource=$(json .resource)
issuer=$(json '.authorization_servers[0]')
show "resource $resource, authorization server $issuer"

http "MCP client: how does that server work? GET /.well-known/oauth-authorization-server" \
	"$issuer/.well-known/oauth-authorization-server"
expect 200
authorize=$(json .authorization_endpoint)
token_endpoint=$(json .token_endpoint)
register=$(json .registration_endpoint)
scope=$(json '.scopes_supported[0]')

redirect=http://127.0.0.1:8765/callback
http "MCP client: register itself, POST /register" -X POST "$register" -H 'Content-Type: application/json' \
	--data "{\"client_name\":\"demo call\",\"redirect_uris\":[\"$redirect\"],\"token_endpoint_auth_method\":\"none\"}"
expect 201
client=$(json .client_id)
show "client_id $client"

verifier=$(openssl rand 32 | b64url)
challenge=$(printf '%s' "$verifier" | openssl dgst -sha256 -binary | b64url)
state=$(openssl rand 16 | b64url)
http "browser: GET /authorize → our consent page" -G "$authorize" \
	--data-urlencode "response_type=code" --data-urlencode "client_id=$client" \
	--data-urlencode "redirect_uri=$redirect" --data-urlencode "scope=$scope" \
	--data-urlencode "state=$state" --data-urlencode "code_challenge=$challenge" \
	--data-urlencode "code_challenge_method=S256" --data-urlencode "resource=$resource"
expect 200
show "$(sed -n 's/.*<h1>\(.*\)<\/h1>.*/\1/p' "$work/body" | sed 's/<[^>]*>//g')"

action=$(form_action)
case $action in /*) action=$issuer$action ;; esac
http "browser: the person allows it, POST the consent form" -X POST "$action" \
	-H "Origin: $issuer" -H 'Sec-Fetch-Site: same-origin' \
	--data-urlencode "flow=$(field flow)" --data-urlencode "csrf=$(field csrf)" --data decision=approve
expect 200
upstream=$(move_on)
show "moves on to $upstream"

http "browser: GET the sign-in page of the (stand-in) tenant" "$upstream"
expect 200
origin=$(printf '%s' "$upstream" | sed 's|^\([a-z]*://[^/]*\).*|\1|')
action=$(form_action)
case $action in /*) action=$origin$action ;; '') action=$upstream ;; esac
set --
# shellcheck disable=SC2013 # names have no spaces
for name in $(sed -n 's/.*<input type="hidden" name="\([^"]*\)".*/\1/p' "$work/body"); do
	set -- "$@" --data-urlencode "$name=$(field "$name")"
done
http "browser: the person signs in there" -X POST "$action" "$@" \
	--data-urlencode "username=${DEMO_USER:-admin@contoso.example}" \
	--data-urlencode "password=${DEMO_PASSWORD:-$(build/bin/mcp-valet-tenant --describe | jq -r .users.admin.password)}"
callback=$(header location)
[ -n "$callback" ] || callback=$(move_on)
[ -n "$callback" ] || die "the sign-in did not succeed"
show "moves on to $callback"

http "browser: GET /auth/callback → back to the MCP client" "$callback"
back=$(header location)
[ -n "$back" ] || die "no redirect to the client (HTTP $status)"
show "$back"
[ "$(param state "$back")" = "$state" ] || die "the state is not ours"

http "MCP client: the code for our own session token, POST /token" -X POST "$token_endpoint" \
	--data-urlencode grant_type=authorization_code --data-urlencode "code=$(param code "$back")" \
	--data-urlencode "client_id=$client" --data-urlencode "redirect_uri=$redirect" \
	--data-urlencode "code_verifier=$verifier" --data-urlencode "resource=$resource"
expect 200
token=$(json .access_token)
show "$(jq -c '{access_token, token_type, expires_in, scope, refresh_token: (.refresh_token | .[0:9] + "…")}' <"$work/body")"

session=
rpc "MCP client: initialize" '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"demo call","version":"1"}}}'
expect 200
session=$(header mcp-session-id)
rpc "MCP client: notifications/initialized" '{"jsonrpc":"2.0","method":"notifications/initialized"}'
expect 202
rpc "MCP client: tools/list" '{"jsonrpc":"2.0","id":2,"method":"tools/list"}'
expect 200
show "$(json '[.result.tools[].name] | join(", ")')"
rpc "MCP client: tools/call $tool" "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"name\":\"$tool\",\"arguments\":$arguments}}"
expect 200
show "$(json '.result.content[0].text')"
[ "$(json '.result.isError // false')" = false ] || die "the tool failed"
printf '\nThe client never saw a token of Entra ID; the tool never saw the client'"'"'s.\n'
