import { createHash } from 'node:crypto';

/** A script that Redis runs as one step. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/**
 * One hash holds the state that all processes share: a random `epoch`, a `version` that counts changes, and
 * for each label the version at which it last changed. It is one key so that Redis can lose it only as a
 * whole: then the next one has another epoch, and no value of the old one is taken any more. A key that
 * somebody made something else of counts as lost.
 */
const STATE = `
local function state(key, fresh)
  local found = redis.pcall('HMGET', key, 'epoch', 'version')
  if not found.err and found[1] and found[2] then return found end
  redis.call('DEL', key)
  redis.call('HSET', key, 'epoch', fresh, 'version', '0')
  return { fresh, '0' }
end
local function current(key, labels, since)
  for label in string.gmatch(labels, '%S+') do
    local changed = redis.call('HGET', key, 'l:' .. label)
    if changed and tonumber(changed) > tonumber(since) then return false end
  end
  return true
end
`;

/** KEYS: value, state. ARGV: a new epoch. Gives epoch, version and, where it may be given, the value. */
export const READ: RedisScript = script(`${STATE}
local now = state(KEYS[2], ARGV[1])
local found = redis.pcall('HMGET', KEYS[1], 'epoch', 'version', 'labels', 'life', 'seal', 'data')
for index = 1, 6 do if found.err or not found[index] then return now end end
if found[1] ~= now[1] or not current(KEYS[2], found[3], found[2]) then
  redis.call('DEL', KEYS[1])
  return now
end
return { now[1], now[2], found[3], found[4], found[5], found[6], redis.call('PTTL', KEYS[1]) }
`);

/** KEYS: value, state. ARGV: epoch, version, labels, life, seal, data, ms to live. Gives 1 when stored. */
export const STORE: RedisScript = script(`${STATE}
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then return 0 end
if not current(KEYS[2], ARGV[3], ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'version', ARGV[2], 'labels', ARGV[3], 'life', ARGV[4],
  'seal', ARGV[5], 'data', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return 1
`);

/**
 * KEYS: state. ARGV: a new epoch, the channel, the sender, most labels that are remembered, and the labels.
 * With more than that the state starts over, which is as if everything had changed.
 */
export const INVALIDATE: RedisScript = script(`${STATE}
local now = state(KEYS[1], ARGV[1])
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
local labels = {}
for index = 5, #ARGV do
  labels[#labels + 1] = ARGV[index]
  redis.call('HSET', KEYS[1], 'l:' .. ARGV[index], version)
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[1])
  now = state(KEYS[1], ARGV[1])
  version = 0
end
redis.call('PUBLISH', ARGV[2], now[1] .. ' ' .. version .. ' ' .. ARGV[3] .. ' ' .. table.concat(labels, ' '))
return version
`);

/** Stands for the epoch in the message that there is none any more. */
export const FORGOTTEN = '-';

/**
 * KEYS: state. ARGV: channel, sender. Everything has changed. Writes nothing, so that it works where Redis
 * has no memory left: https://redis.io/docs/latest/develop/reference/eviction/
 */
export const FORGET: RedisScript = script(`
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[1], '${FORGOTTEN} 0 ' .. ARGV[2])
return 0
`);

/** KEYS: state. ARGV: a new epoch. Gives epoch and version. */
export const STATE_OF: RedisScript = script(`${STATE}
return state(KEYS[1], ARGV[1])
`);

function script(text: string): RedisScript {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
