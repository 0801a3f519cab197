-- One bucket's part of a call: its operations in order, if the bucket is in the epoch of the caller.
--
-- KEYS: epoch, version, due, and the value key of each operation.
-- ARGV: the caller's epoch; the time in ms, or '' for the server's; the operations as <kind, span, expected, due>;
--       and the value of each operation.
-- Answers 0 if the epoch is another, else one answer for each operation:
--   claim: 0 = claimed, 1 = ours already, else who holds it
--   put, swap to a value: the version written, else what is there, nil = nothing
--   swap to nothing, remove: 0, else what is there, nil = nothing
-- A value is kept as <version, expires, due> and its octets; due -1 = none. Its due entry is named after its key and expiry,
-- so that the index tells by itself which entries have expired.

local CLAIM, PUT, SWAP, SWAP_TO_NOTHING = 1, 2, 3, 4
local NEVER = 9007199254740991
-- Redis clears an expired value away at least this much later: until then, the time of this script alone decides.
local KEPT_MS = 60000
local HEADER = '<ddd'

local call, pack, unpack, sub, ceil, min = redis.call, struct.pack, struct.unpack, string.sub, math.ceil, math.min

local head = call('MGET', KEYS[1], KEYS[2])
if head[1] ~= ARGV[1] or not head[2] then
  return 0
end
local before = tonumber(head[2])
local version = before

local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local due_key, operations, at = KEYS[3], ARGV[3], 1

-- The name in the due index: the key without 'signalbox:{bNN}:v:', and the expiry.
local function member(key, expires)
  return sub(key, 19) .. pack('>I8', expires)
end

-- When Redis clears away what expires after a span: whole minutes, as text that is made once.
local minutes = {}
local function cleared(span)
  local count = ceil((span + KEPT_MS) / 60000)
  local text = minutes[count]
  if not text then
    text = string.format('%d', count * 60)
    minutes[count] = text
  end
  return text
end

-- Writes and says so; with `only` = 'NX' only where Redis has nothing.
local function write(key, value, span, expires, due, only)
  local entry = pack(HEADER, version + 1, expires, due) .. value
  local written
  if expires >= NEVER then
    written = only and call('SET', key, entry, only) or not only and call('SET', key, entry)
  elseif only then
    written = call('SET', key, entry, only, 'EX', cleared(span))
  else
    written = call('SET', key, entry, 'EX', cleared(span))
  end
  if not written then
    return false
  end
  version = version + 1
  if due >= 0 then
    call('ZADD', due_key, due, member(key, expires))
  end
  return true
end

-- What is decided over what is there: most writes are of new keys, and found not to be by the write itself.
local function decide(kind, key, value, span, expires, expected, due)
  -- Only a claim looks at the value itself; of nothing, the range is empty.
  local there
  if kind == CLAIM then
    there = call('GET', key)
  else
    there = call('GETRANGE', key, '0', '23')
    there = there ~= '' and there
  end
  local there_version, there_expires, there_due = -1, 0, -1
  if there then
    there_version, there_expires, there_due = unpack(HEADER, there)
  end
  local name = there_due >= 0 and member(key, there_expires)
  if there and there_expires <= now then
    if name then
      call('ZREM', due_key, name)
    end
    there, there_version, name = false, -1, false
  end
  if kind == CLAIM and there then
    if sub(there, 25) ~= value then
      return sub(there, 25)
    end
    -- One that would lapse no later than it does anyway costs no write.
    if there_expires >= expires then
      return 1
    end
    due = there_due
  elseif (kind == SWAP or kind == SWAP_TO_NOTHING) and expected ~= there_version then
    return there and call('GET', key)
  end
  if name then
    call('ZREM', due_key, name)
  end
  if kind == CLAIM then
    write(key, value, span, expires, due)
    return there and 1 or 0
  elseif kind == PUT or kind == SWAP then
    write(key, value, span, expires, due)
    return version
  end
  if there then
    call('DEL', key)
  end
  return 0
end

local answers = {}
for i = 1, #KEYS - 3 do
  local key, value = KEYS[i + 3], ARGV[i + 3]
  local kind, span, expected, due
  kind, span, expected, due, at = unpack('<Bddd', operations, at)
  local expires = min(now + span, NEVER)
  local is_new = (kind == CLAIM or kind == SWAP and expected < 0) and write(key, value, span, expires, due, 'NX')
  if not is_new then
    answers[i] = decide(kind, key, value, span, expires, expected, due)
  elseif kind == CLAIM then
    answers[i] = 0
  else
    answers[i] = version
  end
end
if version ~= before then
  call('SET', KEYS[2], version)
end
return answers
