-- The earliest due entries of one bucket, if it is in the epoch of the caller. What has expired is cleared away.
--
-- KEYS: epoch, due.
-- ARGV: the caller's epoch; the time in ms, or '' for the server's; the first and the last score; how many at most.
-- Answers 0 if the epoch is another, else name and score by turns; a name is a key and eight octets of expiry.

local call, unpack, sub = redis.call, struct.unpack, string.sub

if call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local now, max = tonumber(ARGV[2]), tonumber(ARGV[5])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local found, count = {}, 0
-- Bounded, so that very many expired entries at once do not hold up the server: the next call goes on.
for _ = 1, 10 do
  local asked = max - count
  local entries = call('ZRANGEBYSCORE', KEYS[2], ARGV[3], ARGV[4], 'WITHSCORES', 'LIMIT', count, asked)
  local expired = {}
  for i = 1, #entries, 2 do
    local name = entries[i]
    if unpack('>I8', name, #name - 7) <= now then
      expired[#expired + 1] = name
    else
      count = count + 1
      found[2 * count - 1], found[2 * count] = name, entries[i + 1]
    end
  end
  for i = 1, #expired do
    call('ZREM', KEYS[2], expired[i])
  end
  if #expired == 0 or #entries < 2 * asked then
    break
  end
end
return found
