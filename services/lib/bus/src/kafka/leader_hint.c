/*
 * Takes the place of a function of librdkafka that reads beyond what it was given.
 *
 * When a partition moves, brokers of Kafka 3.7 and later say in the answer itself who leads it now. librdkafka makes room for
 * every partition of which that is said, skips those that have no leader just then, and afterwards reads the room it did not
 * fill as partition numbers: the process dies or writes where it must not. It is so in every version from 2.4.0 to at least
 * 2.14.1 (its makers know it as number 5280). The hint is a short cut only. The error that comes with it makes librdkafka
 * ask who leads, as it does with older brokers, so nothing is lost by leaving the hint alone; whoever calls this frees it.
 *
 * build.rs has the linker put this in the other's place. Once librdkafka fills what it counts, drop this file and its two build.rs.
 */

/* RD_KAFKA_OP_RES_HANDLED, all that the other ever answers. */
enum { HANDLED = 1 };

int __wrap_rd_kafka_metadata_update_op(void *client, void *hint);

int __wrap_rd_kafka_metadata_update_op(void *client, void *hint) {
    (void)client;
    (void)hint;
    return HANDLED;
}
