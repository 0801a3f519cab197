//! Random operations give the same answers as a model so simple that it is plainly right.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use backing::{Redis, RedisOptions, RedisPersistence};
use disk::Disk;
use futures::executor::block_on;
use proptest::prelude::*;
use store::{Applied, Due, DueEntry, EmbeddedStore, Key, MemoryStore, Op, RedisConfig, RedisStore, Store, Versioned};

const BEGIN_MS: u64 = 1_000;
/// What a step counts time in: long enough that values outlast the spans by which a backend may sort them.
const UNIT_MS: u64 = 100_000;
/// Of several kinds and of none.
const KEYS: [&str; 6] = ["model/0", "model/1", "other/0", "other.kind/0", "model", "z/0"];

/// What happens, with small numbers in place of keys, so that they meet.
#[derive(Clone, Debug)]
enum Step {
    Claim {
        key: u8,
        owner: u8,
        lasts: u64,
    },
    Put {
        key: u8,
        value: u8,
        lasts: u64,
    },
    /// `expected`: 0 = absent, 1 = the version there, 2 = a version that was there before.
    Swap {
        key: u8,
        expected: u8,
        value: Option<u8>,
        lasts: u64,
        due: Option<(u32, u64)>,
    },
    Remove {
        key: u8,
    },
    Wait {
        units: u64,
    },
    Look {
        partition: u32,
        second: u64,
        max: usize,
    },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (key, lasts) = (0..6_u8, prop_oneof![3 => 1..400_u64, 1 => 1..4_000_u64]);
    let due = proptest::option::of((0..2_u32, 0..8_u64));
    let step = prop_oneof![
        4 => (key.clone(), 0..3_u8, lasts.clone()).prop_map(|(key, owner, lasts)| Step::Claim { key, owner, lasts }),
        2 => (key.clone(), any::<u8>(), lasts.clone()).prop_map(|(key, value, lasts)| Step::Put { key, value, lasts }),
        6 => (key.clone(), 0..3_u8, any::<Option<u8>>(), lasts, due)
            .prop_map(|(key, expected, value, lasts, due)| Step::Swap { key, expected, value, lasts, due }),
        1 => key.prop_map(|key| Step::Remove { key }),
        2 => (1..200_u64).prop_map(|units| Step::Wait { units }),
        4 => (0..2_u32, 0..9_u64, 1..5_usize).prop_map(|(partition, second, max)| Step::Look { partition, second, max }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..120)
}

#[derive(Clone)]
struct Value {
    value: Vec<u8>,
    version: u64,
    expires_at_ms: u64,
    due: Option<Due>,
}

/// The model: a map, walked from end to end for everything.
#[derive(Default)]
struct Model {
    values: BTreeMap<Key, Value>,
    now_ms: u64,
}

impl Model {
    fn there(&self, key: &Key) -> Option<&Value> {
        self.values.get(key).filter(|value| value.expires_at_ms > self.now_ms)
    }

    fn versioned(&self, key: &Key) -> Option<Versioned> {
        self.there(key).map(|there| Versioned {
            value: there.value.clone().into(),
            version: there.version,
        })
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> Vec<DueEntry> {
        let mut found: Vec<_> = self
            .values
            .iter()
            .filter(|(_, value)| value.expires_at_ms > self.now_ms)
            .filter_map(|(key, value)| value.due.map(|due| (due, key.clone())))
            .filter(|(due, _)| due.partition == partition && due.second <= second)
            .map(|(due, key)| DueEntry {
                key,
                second: due.second,
            })
            .collect();
        found.sort_by(|a, b| (a.second, &a.key).cmp(&(b.second, &b.key)));
        found.truncate(max);
        found
    }

    /// Checks what the store said of `op` and follows it; versions are the store's to choose.
    fn follow(&mut self, op: Op, applied: &Applied) {
        let there = self.there(op.key()).cloned();
        match (op, applied) {
            (
                Op::Claim {
                    key,
                    owner,
                    expires_at_ms,
                },
                Applied::Claimed,
            ) => {
                assert!(there.is_none(), "claimed what was held");
                self.values.insert(
                    key,
                    Value {
                        value: owner.to_vec(),
                        version: 0,
                        expires_at_ms,
                        due: None,
                    },
                );
            }
            (
                Op::Claim {
                    key,
                    owner,
                    expires_at_ms,
                },
                Applied::Reclaimed,
            ) => {
                let there = there.expect("reclaimed what was not held");
                assert_eq!(there.value, owner);
                let expires_at_ms = expires_at_ms.max(there.expires_at_ms);
                self.values.insert(key, Value { expires_at_ms, ..there });
            }
            (Op::Claim { owner, .. }, Applied::Held { owner: by }) => {
                assert!(there.expect("held by nobody").value == *by && owner != *by);
            }
            (
                Op::Put {
                    key,
                    value,
                    expires_at_ms,
                },
                Applied::Written(version),
            ) => {
                self.values.insert(
                    key,
                    Value {
                        value: value.to_vec(),
                        version: *version,
                        expires_at_ms,
                        due: None,
                    },
                );
            }
            (
                Op::Swap {
                    key,
                    expected,
                    value: Some(value),
                    expires_at_ms,
                    due,
                },
                Applied::Written(version),
            ) => {
                assert_eq!(there.map(|there| there.version), expected);
                self.values.insert(
                    key,
                    Value {
                        value: value.to_vec(),
                        version: *version,
                        expires_at_ms,
                        due,
                    },
                );
            }
            (
                Op::Swap {
                    key,
                    expected,
                    value: None,
                    ..
                },
                Applied::Removed,
            ) => {
                assert_eq!(there.map(|there| there.version), expected);
                self.values.remove(&key);
            }
            (Op::Swap { key, expected, .. }, Applied::Conflict(found)) => {
                assert_ne!(there.map(|there| there.version), expected);
                assert_eq!(*found, self.versioned(&key));
            }
            (Op::Remove { key }, Applied::Removed) => drop(self.values.remove(&key)),
            (op, applied) => panic!("{op:?} cannot give {applied:?}"),
        }
    }
}

/// Runs `steps` against the model and the store that `open` gives, which is opened anew at every restart.
fn agree(steps: Vec<Step>, clock: &Arc<AtomicU64>, mut open: impl FnMut(Option<Box<dyn Store>>) -> Box<dyn Store>) {
    let mut model = Model {
        now_ms: BEGIN_MS,
        ..Model::default()
    };
    let mut store = open(None);
    let mut last_versions = BTreeMap::new();
    for step in steps {
        let name = |key: u8| Key(KEYS[usize::from(key)].as_bytes().into());
        let now_ms = model.now_ms;
        let op = match step {
            Step::Wait { units } => {
                model.now_ms += units * UNIT_MS;
                clock.store(model.now_ms, Ordering::Relaxed);
                continue;
            }
            Step::Look { partition, second, max } => {
                let found = block_on(store.due(partition, second, max)).expect("the store is there");
                assert_eq!(found, model.due(partition, second, max));
                continue;
            }
            Step::Restart => {
                store = open(Some(store));
                continue;
            }
            Step::Claim { key, owner, lasts } => Op::Claim {
                key: name(key),
                owner: vec![owner].into(),
                expires_at_ms: now_ms + lasts * UNIT_MS,
            },
            Step::Put { key, value, lasts } => Op::Put {
                key: name(key),
                value: vec![value].into(),
                expires_at_ms: now_ms + lasts * UNIT_MS,
            },
            Step::Swap {
                key,
                expected,
                value,
                lasts,
                due,
            } => {
                let there = model.there(&name(key)).map(|there| there.version);
                let expected = [None, there, there.map(|version| version.wrapping_sub(1))][usize::from(expected)];
                let due = due.map(|(partition, second)| Due { partition, second });
                let value = value.map(|value| vec![value].into());
                Op::Swap {
                    key: name(key),
                    expected,
                    value,
                    expires_at_ms: now_ms + lasts * UNIT_MS,
                    due,
                }
            }
            Step::Remove { key } => Op::Remove { key: name(key) },
        };
        let key = op.key().clone();
        let (applied, commit) = block_on(store.apply(vec![op.clone()])).expect("the store is there");
        block_on(commit).expect("the store is there");
        model.follow(op, &applied[0]);
        // A claim does not say its version; the store's is taken over, and every version must rise.
        let found = block_on(store.get(vec![key.clone()]))
            .expect("the store is there")
            .remove(0);
        if let (Some(found), Some(there)) = (&found, model.values.get_mut(&key))
            && matches!(applied[0], Applied::Claimed | Applied::Reclaimed)
        {
            there.version = found.version;
        }
        assert_eq!(found, model.versioned(&key));
        if let Applied::Written(version) = applied[0] {
            let last = last_versions.insert(key, version);
            assert!(last.is_none_or(|last| version > last), "versions rise");
        }
    }
    for prefix in ["", "model", "model/", "other", "other/"] {
        let all = block_on(store.scan(prefix, None, 100)).expect("the store is there");
        let matching = model.values.keys().filter(|key| key.0.starts_with(prefix.as_bytes()));
        let expected = matching.filter_map(|key| Some((key.clone(), model.versioned(key)?)));
        assert_eq!(all, expected.collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn memory_agrees_with_the_model(steps in steps()) {
        let now_ms = Arc::new(AtomicU64::new(BEGIN_MS));
        let clock = now_ms.clone();
        let store = MemoryStore::new(Arc::new(move || clock.load(Ordering::Relaxed)));
        agree(steps, &now_ms, |_| Box::new(store.clone()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn embedded_agrees_with_the_model(steps in steps()) {
        let now_ms = Arc::new(AtomicU64::new(BEGIN_MS));
        let home = tempfile::tempdir().expect("there is room");
        agree(steps, &now_ms, |old| {
            drop(old);
            let clock = now_ms.clone();
            let disk = Disk::open(home.path()).expect("the disk opens");
            Box::new(EmbeddedStore::open(disk, Arc::new(move || clock.load(Ordering::Relaxed))).expect("the store opens"))
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Every restart is one of the server.
    #[test]
    fn redis_agrees_with_the_model(steps in steps()) {
        let runtime = tokio::runtime::Runtime::new().expect("there is room");
        let _entered = runtime.enter();
        let now_ms = Arc::new(AtomicU64::new(BEGIN_MS));
        let persistence = RedisPersistence::Always;
        let server = Redis::start(RedisOptions { persistence, ..RedisOptions::default() }).expect("redis-server starts");
        agree(steps, &now_ms, |old| {
            let clock = now_ms.clone();
            let (url, [ca, certificate, key]) = (server.url(), [const { None }; 3]);
            let clock = Arc::new(move || clock.load(Ordering::Relaxed)) as store::Clock;
            let store = RedisStore::new(RedisConfig { url, ca, certificate, key, clock }).expect("the settings are right");
            let store = store.on_own_clock();
            match old {
                Some(_) => server.restart().expect("redis-server starts again"),
                None => {
                    let rebuilder = block_on(store.rebuild()).expect("it is there").expect("it is new");
                    block_on(rebuilder.finish()).map(drop).expect("nobody else is there");
                }
            }
            Box::new(store)
        });
    }
}
