-- wrk's requests for one class, and a line of figures at the end.
-- Environment: BENCH_CLASS (key, read, page, list, conversation, send, update,
-- note or mix), BENCH_KEY (the API key), BENCH_SEED, BENCH_CONTACTS and
-- BENCH_STEP (see seed.sql), BENCH_STOP (stop after so many requests; optional).
--
-- The requests are made once and gone round, so that wrk itself costs as
-- little as it can. The numbers are those of seed.sql.

local class = os.getenv("BENCH_CLASS")
local stop = tonumber(os.getenv("BENCH_STOP") or "")
local message = os.getenv("BENCH_MESSAGE")
local contacts = tonumber(os.getenv("BENCH_CONTACTS") or "100000")
local step = tonumber(os.getenv("BENCH_STEP") or "10")
local conversations = contacts / step

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
    return k * step + k % 10
end

local function any_conversation()
    return contact_of(math.random(0, conversations - 1))
end

local make = {}

function make.key()
    return wrk.format("GET", "/v3/keys/current")
end

function make.read()
    return wrk.format("GET", path("contacts", math.random(0, contacts - 1)))
end

function make.send()
    return with_body("POST", path("messages", any_conversation()),
                     '{"message":' .. message .. '}')
end

function make.page()
    return wrk.format("GET", path("messages", any_conversation())
                             .. "?limit=50")
end

function make.list()
    return wrk.format("GET", string.format(
        "/v3/channels/%d@whatsapp.eazy.im/contacts?limit=50",
        31600000000 + math.random(0, 9)))
end

function make.conversation()
    return wrk.format("GET", path("conversations", any_conversation()))
end

function make.note()
    return with_body("POST", path("contacts", math.random(0, contacts - 1))
                             .. "/notes", '{"body":"Prefers the morning"}')
end

local updates = {
    '{"status":"CLOSED"}', '{"unreadCount":0}',
    '{"status":"OPEN"}', '{"unreadCount":null}',
}

-- goes round all conversations; every visit changes what the last one left
function make.update(n)
    local k = n * 7919 % conversations
    return with_body("PATCH", path("conversations", contact_of(k)),
                     updates[math.floor(n / conversations) % 4 + 1])
end

local mixture = { "key", "read", "key", "read", "send",
                  "key", "read", "key", "read", "update" }

function make.mix(n)
    return make[mixture[n % #mixture + 1]](math.floor(n / #mixture))
end

local sizes = { key = 1, read = 16384, page = 16384, list = 16,
                conversation = 16384, send = 16384, note = 16384,
                update = 4 * math.min(conversations, 10000), mix = 40000 }

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
