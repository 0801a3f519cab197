-- Begins the new epoch in one bucket. Answers 1, or 0 if somebody else took over.
--
-- KEYS: epoch.
-- ARGV: the rebuilder's word; the word of the new epoch.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
