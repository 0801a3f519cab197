-- Asked of every bucket on every new connection: is this the server that was written to?
--
-- KEYS: epoch, run.
-- ARGV: the server's run id; 'always' if it syncs every write before it answers and was nobody's replica, else 'maybe'.
-- Another run than the last may lack writes, unless both were such: then its epoch is over, for everybody.

local call, match = redis.call, string.match
local now = ARGV[1] .. ' ' .. ARGV[2]
local before = call('GET', KEYS[2])
if before and before ~= now then
  local is_same = match(before, '^%S+') == ARGV[1]
  local is_kept = match(before, '%S+$') == 'always' and ARGV[2] == 'always'
  if not is_same and not is_kept then
    call('DEL', KEYS[1])
  end
  call('SET', KEYS[2], now)
end
return 0
