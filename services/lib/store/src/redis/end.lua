-- Ends an epoch in one bucket, if the bucket is in it.
--
-- KEYS: epoch.
-- ARGV: its word.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 0
