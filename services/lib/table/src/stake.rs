//! What a look-up could change: the decision for the network that the numbering plan assumes, against those for all other
//! networks of the country.

pub(crate) mod alike;

use self::alike::Neighbours;
use crate::{
    decision::{Action, Candidate, Decision},
    money::Micros,
    network::Network,
    numbers::Resolved,
    offer::offer,
    policy::Route,
    query::{Query, Served, Source},
    rank,
    rates::CarrierIndex,
    spec::Charged,
    table::Table,
    walk::{Message, recipient},
};

/// What could be gained by knowing which network serves a number, in the table's currency and for all segments.
///
/// The numbering plan assumes a network. Under each other network of the country the message would cost something else: what
/// the carrier chosen for the assumed network charges for that other one (`wrong`), or what the carrier does that would be
/// chosen if it was known (`right`). What could be saved there is `wrong − right`, never below zero. Where the chosen carrier
/// has no rate for that network or takes no ported numbers, it is what the carrier charges for the submission in vain; where no
/// carrier would be chosen, the whole of `wrong`. With strategy `best_value` costs are those of a delivered message.
///
/// Every network that the table names counts as one, and so do all that it does not name together. Those that the table treats
/// alike are looked at once: live figures and standings are then those of one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// What the decision stands on.
    pub basis: Basis,
    /// Other networks that may serve the number.
    pub networks: u32,
    /// Whether another network could change which carrier is asked first, or what that charges. `false` is certain for what the
    /// table says.
    pub can_change: bool,
    /// The most that could be saved.
    pub saving_max: Micros,
    /// What is saved on average over the other networks, rounded down.
    pub saving_mean: Micros,
    /// What a submission to a dead number costs: zero where there is none, or where its carrier charges on delivery.
    pub submit: Micros,
}

/// What is known of the network that serves a number before anybody is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Nothing: the numbering plan has no row for it.
    #[default]
    Nothing,
    /// The country, with no network assumed: any of its networks serves it.
    Country,
    /// The network by the numbering plan, unless the number was ported.
    Plan,
    /// The network by somebody who knows: nothing is left to ask.
    Told,
}

impl Basis {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Country => "country",
            Self::Plan => "plan",
            Self::Told => "told",
        }
    }
}

impl Table {
    /// What a look-up could change of `decision`, which is this table's answer to `query`. `scratch` is overwritten.
    ///
    /// Allocates nothing once `scratch` has grown. Where all carriers that may take the message charge the networks of the
    /// country alike, and the route goes by neither quality nor margin, it comes to a few comparisons; otherwise the first candidate
    /// is sought anew for each kind of networks, and where policies tell a kind apart, the walk is run anew. All zero where no route of the table has
    /// `lookup = "when_it_matters"`.
    pub fn stake<'t>(&'t self, query: &Query<'_>, decision: &Decision<'t>, scratch: &mut Decision<'t>) -> Stake {
        let resolved = self.numbers.resolve(recipient(query), query.network, query.ported);
        let bet = Bet::new(self, query, decision, resolved);
        let mut stake = Stake {
            basis: bet.basis(),
            submit: bet.submit(),
            ..Stake::default()
        };
        let network = match (stake.basis, resolved.network) {
            (Basis::Plan | Basis::Country, Some(network)) => network,
            (Basis::Nothing, _) => {
                stake.can_change = true;
                return stake;
            }
            _ => return stake,
        };
        if let Some(neighbours) = self.alike.of(network) {
            bet.weigh(network, neighbours, &mut stake, scratch);
        }
        stake
    }

    /// What is saved by knowing that `network` serves the recipient, by the measure of [`Stake`]: `decision` is this table's
    /// answer to `query`, which does not say so. `scratch` is overwritten.
    pub fn saving<'t>(
        &'t self,
        query: &Query<'_>,
        decision: &Decision<'t>,
        network: Network,
        scratch: &mut Decision<'t>,
    ) -> Micros {
        let resolved = self.numbers.resolve(recipient(query), query.network, query.ported);
        let bet = Bet::new(self, query, decision, resolved);
        let real = bet.real(network);
        bet.decide(&real, scratch);
        bet.saving(&real, network, scratch)
    }
}

/// A decision, and what it stands on.
struct Bet<'t, 'a> {
    table: &'t Table,
    query: &'a Query<'a>,
    decision: &'a Decision<'t>,
    resolved: Resolved<'t>,
    /// The carrier chosen.
    first: Option<(CarrierIndex, Candidate<'t>)>,
}

impl<'t, 'a> Bet<'t, 'a> {
    fn new(table: &'t Table, query: &'a Query<'a>, decision: &'a Decision<'t>, resolved: Resolved<'t>) -> Self {
        let first = decision.candidates.first().and_then(|first| {
            let place = table
                .carriers
                .binary_search_by(|carrier| carrier.name.cmp(first.carrier));
            Some((CarrierIndex::try_from(place.ok()?).ok()?, *first))
        });
        Self {
            table,
            query,
            decision,
            resolved,
            first,
        }
    }

    fn basis(&self) -> Basis {
        match self.resolved.network {
            None => Basis::Nothing,
            Some(_) if self.resolved.source != Source::Numbering => Basis::Told,
            Some(network) if network.has_mnc() => Basis::Plan,
            Some(_) => Basis::Country,
        }
    }

    /// What the submission costs, whether it is delivered or not. Of a recipient that policies set nobody asks.
    fn submit(&self) -> Micros {
        match &self.first {
            Some((_, first)) if self.decision.to.is_none() => self.in_vain().min(first.cost),
            _ => Micros(0),
        }
    }

    /// What the carrier chosen charges for a message that it cannot deliver.
    fn in_vain(&self) -> Micros {
        match &self.first {
            Some((carrier, first)) if self.carrier_charged(*carrier) == Charged::Submit => first.cost,
            _ => Micros(0),
        }
    }

    fn carrier_charged(&self, carrier: CarrierIndex) -> Charged {
        self.table.carriers[usize::from(carrier)].charged
    }

    /// Looks at each kind of `neighbours` but `assumed` itself.
    fn weigh(&self, assumed: Network, neighbours: &Neighbours, stake: &mut Stake, scratch: &mut Decision<'t>) {
        let own = neighbours.kind(assumed);
        let asked = self.message(self.query.from);
        let is_charged_alike = self.is_charged_alike(neighbours);
        // Where carriers charge all alike, one that no policy names stands for those that are not kept.
        let is_covered = is_charged_alike && neighbours.kinds.iter().any(|kind| !kind.is_told);
        stake.can_change = !neighbours.is_whole && !is_covered;
        if is_charged_alike && self.is_one_country(neighbours) && !self.may_tell_apart(&asked) {
            stake.networks = neighbours.count - u32::from(own.is_some());
            return;
        }
        let mut left = self.left();
        let mut sum = 0;
        for (at, kind) in neighbours.kinds.iter().enumerate() {
            let Some(other) = kind.others(assumed, own == Some(at)) else {
                continue;
            };
            stake.networks += other.count;
            let real = self.real(other.network);
            let is_told = self.is_told_apart(&asked, &real);
            if !is_told && is_charged_alike && real.country == self.resolved.country {
                continue;
            }
            match self.decision.route {
                Some(route) if !is_told => {
                    left.resolved = real;
                    self.decide_by(route, &left, scratch);
                }
                _ => self.decide(&real, scratch),
            }
            stake.can_change |= !self.is_same(scratch);
            let saving = self.saving(&real, other.network, scratch);
            stake.saving_max = stake.saving_max.max(saving);
            sum += i128::from(saving.0) * i128::from(other.count);
        }
        let mean = sum / i128::from(stake.networks.max(1));
        stake.saving_mean = Micros(i64::try_from(mean).expect("a mean is no more than the largest"));
    }

    /// What was known of the recipient if `network` served it.
    fn real(&self, network: Network) -> Resolved<'t> {
        let served = Served {
            network,
            source: Source::Hlr,
        };
        self.table
            .numbers
            .resolve_told(self.resolved.place, served, self.query.ported)
    }

    /// Whether whatever network of `neighbours` serves the recipient, its country is the one that is known.
    fn is_one_country(&self, neighbours: &Neighbours) -> bool {
        neighbours.has_one_mcc || neighbours.country == self.resolved.country
    }

    /// Whether a policy may treat `asked` otherwise if another network of the country was known.
    fn may_tell_apart(&self, asked: &Message<'t, '_>) -> bool {
        let decision = self.decision;
        let (gates, tells) = (&self.table.gates, &self.table.alike.tells);
        decision.to.is_some() || gates.may_tell_apart(asked, decision.reached, self.is_changed(), tells)
    }

    fn is_changed(&self) -> bool {
        self.decision.from.is_some() || self.decision.text.is_some()
    }

    /// Whether a policy may treat `asked` otherwise if `real` was known.
    fn is_told_apart(&self, asked: &Message<'t, '_>, real: &Resolved<'t>) -> bool {
        let decision = self.decision;
        let (gates, tells) = (&self.table.gates, &self.table.alike.tells);
        decision.to.is_some() || gates.tell_apart(asked, real, decision.reached, self.is_changed(), tells)
    }

    /// Whether every carrier that may take the message takes it for any network, at one price.
    fn is_charged_alike(&self, neighbours: &Neighbours) -> bool {
        let Some(route) = self.decision.route else { return true };
        let by_quality = route.min_delivery_rate.is_some() || route.strategy.is_by_quality();
        let by_sale = route.min_margin.is_some() && self.table.sell.is_some();
        let varying = if self.resolved.tariff.has_prefix() {
            &neighbours.varying_by_prefix
        } else {
            &neighbours.varying
        };
        !by_quality && !by_sale && !varying.meets(&self.decision.fit) && self.table.fits.take_ported(&self.decision.fit)
    }

    /// Decides the message as if `real` was known.
    fn decide(&self, real: &Resolved<'t>, scratch: &mut Decision<'t>) {
        let network = real.network.map(|network| Served {
            network,
            source: real.source,
        });
        self.table.decide(&Query { network, ..*self.query }, scratch);
    }

    /// Decides `left`, the message as policies left it, by `route`, where they lead to that as well.
    fn decide_by(&self, route: &'t Route, left: &Message<'t, '_>, scratch: &mut Decision<'t>) {
        let decision = self.decision;
        scratch.clear();
        (scratch.terms, scratch.from, scratch.policy) = (decision.terms, decision.from, decision.policy);
        (scratch.encoding, scratch.segments) = (decision.encoding, decision.segments);
        (scratch.network, scratch.route) = (left.resolved.network, Some(route));
        scratch.avoided.extend_from_slice(&decision.avoided);
        offer(self.table, self.query, left, route, 1, &mut (), scratch);
    }

    /// The message as policies left it.
    fn left(&self) -> Message<'t, '_> {
        let decision = self.decision;
        Message {
            encoding: decision.encoding,
            segments: decision.segments,
            ..self.message(decision.from.unwrap_or(self.query.from))
        }
    }

    /// The message as asked, but for its sender.
    fn message<'m>(&'m self, from: &'m str) -> Message<'t, 'm> {
        let query = self.query;
        Message {
            to: recipient(query),
            from: self.table.sender_names.name(from),
            sender_kind: sms::SenderKind::of(from),
            account: self.table.account_names.name(query.account),
            class: query.class,
            encoding: query.encoding,
            segments: query.segments,
            text: query.text,
            at: query.at,
            resolved: self.resolved,
            tags: Vec::new(),
        }
    }

    /// Whether `other` asks the same carrier first and at the same cost, or none for the same cause.
    fn is_same(&self, other: &Decision<'t>) -> bool {
        let first = |decision: &Decision<'t>| {
            let first = decision.candidates.first();
            first.map(|first| (first.carrier, first.unit, first.cost))
        };
        self.decision.action == other.action && first(self.decision) == first(other)
    }

    /// What is saved by deciding as `right` does, if `network` serves the recipient.
    fn saving(&self, real: &Resolved<'t>, network: Network, right: &Decision<'t>) -> Micros {
        let Some((carrier, first)) = self.first else {
            return Micros(0);
        };
        if self.decision.to.is_some() || right.action == Action::Wait || self.is_same(right) {
            return Micros(0);
        }
        let takes = !real.ported || self.table.carriers[usize::from(carrier)].accepts_ported;
        let charge = self.table.rates.charge(&real.tariff, carrier, self.query.at).price();
        let Some(price) = charge.filter(|_| takes) else {
            return self.in_vain();
        };
        let wrong = self.worth(first.carrier, price.cost.times(self.decision.segments), network);
        let right = right.candidates.first();
        let right = right.map_or(0, |right| self.worth(right.carrier, right.cost, network).0);
        Micros(wrong.0.saturating_sub(right).max(0))
    }

    /// What the route compares: the cost, or with `best_value` that of a delivered message.
    fn worth(&self, carrier: &sms::CarrierName, cost: Micros, network: Network) -> Micros {
        let place = self.table.carriers.binary_search_by(|known| known.name.cmp(carrier));
        match (self.decision.route, place) {
            (Some(route), Ok(place)) if route.strategy.is_by_value() => {
                let known = self.table.quality.of(Some(network), self.query.figures);
                let index = CarrierIndex::try_from(place).expect("CARRIERS_MAX is below 2^16");
                let quality = known.quality(index, carrier);
                rank::worth(&self.table.carriers[place], cost, quality)
            }
            _ => cost,
        }
    }
}
