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

local CLAIM, PUT, SWAP, REMOVE = 1, 2, 3, 5
local NEVER = 9007199254740991
-- Redis clears an expired value away this much later: until then, the time of this script alone decides.
local KEPT_MS = 60000
local HEADER = '<ddd'

local call, pack, unpack, sub, min = redis.call, struct.pack, struct.unpack, string.sub, math.min

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

local function write(key, value, expires, due)
  version = version + 1
  local entry = pack(HEADER, version, expires, due) .. value
  if expires >= NEVER then
    call('SET', key, entry)
  else
    call('SET', key, entry, 'PX', expires - now + KEPT_MS)
  end
  if due >= 0 then
    call('ZADD', due_key, due, member(key, expires))
  end
end

local answers = {}
for i = 1, #KEYS - 3 do
  local key, value = KEYS[i + 3], ARGV[i + 3]
  local kind, span, expected, due
  kind, span, expected, due, at = unpack('<Bddd', operations, at)
  local expires = min(now + span, NEVER)
  local there = call('GET', key)
  local there_version, there_expires, there_due = -1, 0, -1
  if there then
    there_version, there_expires, there_due = unpack(HEADER, there)
  end
  local name = there_due >= 0 and member(key, there_expires)
  if there and there_expires <= now then
    if name then
      call('ZREM', due_key, name)
    end
    there, there_version, there_due, name = false, -1, -1, false
  end

  local answer = 0
  if kind == CLAIM then
    if not there then
      write(key, value, expires, -1)
    elseif sub(there, 25) ~= value then
      answer = sub(there, 25)
    else
      answer = 1
      -- One that would lapse no later than it does anyway costs no write.
      if there_expires < expires then
        if name then
          call('ZREM', due_key, name)
        end
        write(key, value, expires, there_due)
      end
    end
  elseif kind ~= PUT and kind ~= REMOVE and expected ~= there_version then
    answer = there
  else
    if name then
      call('ZREM', due_key, name)
    end
    if kind == PUT or kind == SWAP then
      write(key, value, expires, due)
      answer = version
    elseif there then
      call('DEL', key)
    end
  end
  answers[i] = answer
end
if version ~= before then
  call('SET', KEYS[2], version)
end
return answers
