-- Asked of every bucket on every new connection: is this the server that was written to?
--
-- KEYS: epoch, run.
-- ARGV: the server's run id; whether a restart of it loses nothing, 1 or 0.
-- Another run than the last may lack writes: then its epoch is over, for everybody.

local run = redis.call('GET', KEYS[2])
if run and run ~= ARGV[1] then
  if ARGV[2] ~= '1' then
    redis.call('DEL', KEYS[1])
  end
  redis.call('SET', KEYS[2], ARGV[1])
end
return redis.call('GET', KEYS[1])
