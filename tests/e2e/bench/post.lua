-- One JSON-RPC request, again and again; TOKEN, SESSION and BODY come from the
-- environment. wrk itself counts answers that are not 2xx; a callback for each
-- answer would make the load generator the limit.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
wrk.headers["Mcp-Session-Id"] = os.getenv("SESSION")
wrk.headers["Mcp-Protocol-Version"] = "2025-11-25"
