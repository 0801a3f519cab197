-- Takes or keeps the lock of the one who rebuilds. Answers 1 if it is ours.
--
-- KEYS: lock.
-- ARGV: our token; the time in ms, or '' for the server's; for how many ms; '1' = take it if nobody has it.

local call = redis.call
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local lock = call('HMGET', KEYS[1], 'token', 'until')
local is_ours = lock[1] == ARGV[1]
local is_free = ARGV[4] == '1' and (not lock[1] or tonumber(lock[2]) <= now)
if not is_ours and not is_free then
  return 0
end
call('HSET', KEYS[1], 'token', ARGV[1], 'until', now + ARGV[3])
return 1
