//! What spans say by which name.

/// Names of attributes, by the semantic conventions of OpenTelemetry 1.44. Those of messaging are not stable, and those of RPC are
/// about to be: whoever follows them to a later version changes this page alone. Nobody has conventions for SMS, so those
/// names are ours.
pub mod attribute {
    /// What the log is.
    pub const SYSTEM: &str = "messaging.system";
    /// What was done with the log: `send` or `process`.
    pub const OPERATION_NAME: &str = "messaging.operation.name";
    /// The same by its kind.
    pub const OPERATION_TYPE: &str = "messaging.operation.type";
    /// The topic.
    pub const DESTINATION: &str = "messaging.destination.name";
    /// Id of the message.
    pub const MESSAGE_ID: &str = "messaging.message.id";
    /// How a call came.
    pub const RPC_SYSTEM: &str = "rpc.system.name";
    /// The method that was called.
    pub const RPC_METHOD: &str = "rpc.method";
    /// Why it failed, in a word.
    pub const ERROR: &str = "error.type";
    /// Lane of the message.
    pub const LANE: &str = "sms.lane";
    /// How the message is coded.
    pub const ENCODING: &str = "sms.encoding";
    /// Its segments.
    pub const SEGMENTS: &str = "sms.segments";
    /// The carrier asked.
    pub const CARRIER: &str = "sms.carrier";
    /// Network of the recipient, MCC and MNC together.
    pub const NETWORK: &str = "sms.mccmnc";
    /// Number of the order.
    pub const ORDER: &str = "sms.order";
    /// The policy that chose the route.
    pub const POLICY: &str = "sms.route.reason";
    /// What became of the order.
    pub const OUTCOME: &str = "sms.outcome";
    /// What a receipt says.
    pub const RECEIPT: &str = "sms.receipt";
    /// How the message ended.
    pub const STATE: &str = "sms.state";
    /// What an SMPP carrier answered.
    pub const COMMAND_STATUS: &str = "smpp.command_status";
}
