-- Shuts everybody but one rebuilder out of a bucket. Versions go on above all that were ever given out: they begin with the
-- microseconds of the time and rise by one with a write, which no server does a million times a second.
--
-- KEYS: epoch, version, run.
-- ARGV: the rebuilder's word; the time in ms, or '' for the server's; the server's run, as arrive.lua puts it.

local call = redis.call
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local version = math.max(tonumber(call('GET', KEYS[2]) or 0), now * 1000)
call('SET', KEYS[2], string.format('%.0f', version))
call('SET', KEYS[3], ARGV[3])
call('SET', KEYS[1], ARGV[1])
return 1
