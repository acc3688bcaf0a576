-- wrk's requests for one class, and a line of figures at the end.
-- Environment: BENCH_CLASS (key, read, send, update or mix), BENCH_KEY (the
-- API key), BENCH_SEED, BENCH_STOP (stop after so many requests; optional).
--
-- The requests are made once and gone round, so that wrk itself costs as
-- little as it can. The numbers are those of seed.sql.

local class = os.getenv("BENCH_CLASS")
local stop = tonumber(os.getenv("BENCH_STOP") or "")
local message = os.getenv("BENCH_MESSAGE")

wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")

local list = {}
local made = 0

local function path(kind, i)
    return string.format(
        "/v3/channels/%d@whatsapp.eazy.im/%s/%d@whatsapp.eazy.im",
        31600000000 + i % 10, kind, 31700000000 + i)
end

local function with_body(method, where, body)
    wrk.headers["Content-Type"] = "application/json"
    local text = wrk.format(method, where, wrk.headers, body)
    wrk.headers["Content-Type"] = nil
    return text
end

local function contact_of(k)
    return k * 10 + k % 10
end

local make = {}

function make.key()
    return wrk.format("GET", "/v3/keys/current")
end

function make.read()
    return wrk.format("GET", path("contacts", math.random(0, 99999)))
end

function make.send()
    return with_body("POST", path("messages", contact_of(math.random(0, 9999))),
                     '{"message":' .. message .. '}')
end

local updates = {
    '{"status":"CLOSED"}', '{"unreadCount":0}',
    '{"status":"OPEN"}', '{"unreadCount":null}',
}

-- goes round all conversations; every visit changes what the last one left
function make.update(n)
    local k = n * 7919 % 10000
    return with_body("PATCH", path("conversations", contact_of(k)),
                     updates[math.floor(n / 10000) % 4 + 1])
end

local mixture = { "key", "read", "key", "read", "send",
                  "key", "read", "key", "read", "update" }

function make.mix(n)
    return make[mixture[n % #mixture + 1]](math.floor(n / #mixture))
end

local sizes = { key = 1, read = 16384, send = 16384, update = 40000,
                mix = 40000 }

function init()
    math.randomseed(tonumber(os.getenv("BENCH_SEED")))
    for n = 0, sizes[class] - 1 do
        list[n + 1] = make[class](n)
    end
end

if class ~= "key" then
    local size = sizes[class]

    function request()
        local text = list[made % size + 1]
        made = made + 1
        if stop and made >= stop then
            wrk.thread:stop()
        end
        return text
    end
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("bench %d %d %d %d %d", summary.requests,
        summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status
            + errors.timeout))
end
