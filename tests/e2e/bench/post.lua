-- One JSON-RPC request, again and again; TOKEN, SESSION and BODY come from the
-- environment.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
wrk.headers["Mcp-Session-Id"] = os.getenv("SESSION")
wrk.headers["Mcp-Protocol-Version"] = "2025-11-25"

function response(status)
  if status ~= 200 then bad = (bad or 0) + 1 end
end
