-- One JSON-RPC request, again and again; TOKEN, SESSION, VERSION and BODY come
-- from the environment, further HEADERS as lines. wrk itself counts answers
-- that are not 2xx; a callback for each answer would make the load generator
-- the limit.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
wrk.headers["Mcp-Session-Id"] = os.getenv("SESSION")
wrk.headers["Mcp-Protocol-Version"] = os.getenv("VERSION") or "2025-11-25"
for name, value in (os.getenv("HEADERS") or ""):gmatch("([^\n:]+): ([^\n]+)") do
  wrk.headers[name] = value
end
