-- Gives up the lock of the one who rebuilds, if it is ours.
--
-- KEYS: lock.
-- ARGV: our token.

if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 0
