//! What a handle asks of the buckets: each call goes to all buckets it is about at once.

use ::redis::{Value, from_redis_value};

use super::{
    RedisStore,
    bucket::{BUCKETS, Bucket, VALUE_PREFIX_OCTETS},
    command, fault, scripts,
    scripts::SCRIPTS,
    wire,
};
use crate::{Applied, DueEntry, Key, Op, StoreError, Versioned, limit};

impl RedisStore {
    pub(super) async fn apply_all(&self, ops: Vec<Op>) -> Result<Vec<Applied>, StoreError> {
        limit::check(&ops)?;
        wire::check(&ops)?;
        let word = self.word().await?;
        let (now_ms, time) = ((self.clock)(), self.time());
        let caller = wire::Caller {
            word: &word,
            now_ms,
            time: &time,
        };
        let (places, commands): (Vec<_>, Vec<_>) = wire::parts(&ops, &caller)
            .into_iter()
            .map(|part| (part.places, (part.bucket, part.command)))
            .unzip();
        let mut applied = vec![Applied::Removed; ops.len()];
        for (places, answer) in places.into_iter().zip(self.call(&word, commands).await?) {
            let Value::Array(answers) = answer else {
                return Err(fault::unexpected("a call"));
            };
            for (place, answer) in places.into_iter().zip(answers) {
                applied[place] = wire::applied(&ops[place], answer)?;
            }
        }
        Ok(applied)
    }

    pub(super) async fn find_due(&self, partition: u32, second: u64, max: usize) -> Result<Vec<DueEntry>, StoreError> {
        let word = self.word().await?;
        // Most often the earliest entries are spread evenly; a bucket that has more of them is asked again for all.
        let few = (max / BUCKETS * 2 + 8).min(max);
        let mut parts = self
            .due_parts(&word, partition, second, few, Bucket::all().collect())
            .await?;
        let mut found = merge(&parts, max);
        let is_cut = |part: &Vec<DueEntry>| {
            part.len() == few
                && (found.len() < max
                    || found
                        .last()
                        .zip(part.last())
                        .is_some_and(|(end, last)| order(last) < order(end)))
        };
        let cut: Vec<_> = Bucket::all()
            .filter(|bucket| few < max && is_cut(&parts[bucket.index()]))
            .collect();
        if !cut.is_empty() {
            let again = self.due_parts(&word, partition, second, max, cut.clone()).await?;
            for (bucket, part) in cut.into_iter().zip(again) {
                parts[bucket.index()] = part;
            }
            found = merge(&parts, max);
        }
        Ok(found)
    }

    async fn due_parts(
        &self,
        word: &str,
        partition: u32,
        second: u64,
        max: usize,
        buckets: Vec<Bucket>,
    ) -> Result<Vec<Vec<DueEntry>>, StoreError> {
        let (first, last) = (
            wire::score(partition, 0).to_string(),
            wire::score(partition, second).to_string(),
        );
        let (time, max) = (self.time(), max.to_string());
        let arguments = [word, &time, &first, &last, &max].map(str::as_bytes);
        let look = |bucket: Bucket| {
            let script = scripts::run(&SCRIPTS.due, &[bucket.epoch(), bucket.due()], &arguments);
            (bucket, script)
        };
        let answers = self.call(word, buckets.into_iter().map(look).collect()).await?;
        answers
            .into_iter()
            .map(|answer| wire::due_entries(answer, partition))
            .collect()
    }

    /// The entries of `keys` that have not expired, in order.
    pub(super) async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        let word = self.word().await?;
        let mut places: [Vec<usize>; BUCKETS] = Default::default();
        for (place, key) in keys.iter().enumerate() {
            places[Bucket::of(key).index()].push(place);
        }
        let asked: Vec<_> = Bucket::all()
            .zip(places)
            .filter(|(_, places)| !places.is_empty())
            .collect();
        let Some((first, _)) = asked.first() else {
            return Ok(Vec::new());
        };
        let mut commands = vec![(*first, command("TIME", &[] as &[&str]))];
        for (bucket, places) in &asked {
            let mut get = command("MGET", &[bucket.epoch()]);
            let mut name = bucket.values().into_bytes();
            for place in places {
                name.truncate(VALUE_PREFIX_OCTETS);
                name.extend_from_slice(&keys[*place].0);
                get.arg(&name);
            }
            commands.push((*bucket, get));
        }
        let mut answers = self.call(&word, commands).await?.into_iter();
        let server_ms = wire::time_ms(answers.next().ok_or_else(|| fault::unexpected("TIME"))?)?;
        let now_ms = if self.is_clock_ours { (self.clock)() } else { server_ms };
        let mut found = vec![None; keys.len()];
        for ((_, places), answer) in asked.into_iter().zip(answers) {
            let values: Vec<Option<Vec<u8>>> = from_redis_value(answer).map_err(|_| fault::unexpected("MGET"))?;
            let mut values = values.into_iter();
            if values.next().flatten().as_deref() != Some(word.as_bytes()) {
                return Err(self.lost(&word).await);
            }
            for (place, octets) in places.into_iter().zip(values) {
                let entry = octets.map(wire::Entry::of).transpose()?;
                found[place] = entry
                    .filter(|entry| entry.expires_at_ms > now_ms)
                    .map(|entry| entry.versioned);
            }
        }
        Ok(found)
    }
}

fn order(entry: &DueEntry) -> (u64, &Key) {
    (entry.second, &entry.key)
}

/// The `max` earliest entries of all `parts`.
fn merge(parts: &[Vec<DueEntry>], max: usize) -> Vec<DueEntry> {
    let mut found = parts.concat();
    found.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    found.truncate(max);
    found
}
