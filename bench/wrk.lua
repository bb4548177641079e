-- A POST of BENCH_BODY_BYTES bytes of JSON on every request; at the end, the figures as one line of JSON.
-- wrk builds a request once when no request() is defined, so the script costs nothing per request.
local size = tonumber(os.getenv("BENCH_BODY_BYTES"))
local head, tail = '{"kind":"e","instances":["', '"]}'
wrk.method = "POST"
wrk.body = head .. string.rep("x", size - #head - #tail) .. tail
wrk.headers["Content-Type"] = "application/json"

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,' ..
    '"socket_errors":%d,"timeouts":%d,"bad_statuses":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write, errors.timeout, errors.status))
end
