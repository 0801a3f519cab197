//! The log on a real Apache Kafka keeps every guarantee.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{sync::Arc, time::Duration};

use bus::{Bus, KafkaBus, KafkaConfig, conformance::Fixture};
use futures::{FutureExt, future::BoxFuture};

struct Kafka {
    bus: KafkaBus,
}

fn config() -> KafkaConfig {
    KafkaConfig {
        brokers: backing::shared_kafka().bootstrap(),
        client_id: "conformance".to_owned(),
        ..KafkaConfig::default()
    }
}

async fn fixture() -> Kafka {
    Kafka {
        bus: KafkaBus::new(config()).unwrap(),
    }
}

impl Fixture for Kafka {
    fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(self.bus.clone())
    }

    /// Another client, as a process that starts again would be.
    fn restart(&mut self) -> BoxFuture<'_, bool> {
        async {
            self.bus = KafkaBus::new(config()).unwrap();
            self.bus.check().await.unwrap();
            true
        }
        .boxed()
    }

    /// Instants are the broker's, so time has to pass.
    fn advance(&mut self, _: Duration) -> bool {
        #[expect(clippy::disallowed_methods, reason = "the clock of a real broker")]
        std::thread::sleep(Duration::from_millis(5));
        true
    }
}

bus::conformance_suite!(fixture());
