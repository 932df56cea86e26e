//! What can be bought now, and what it costs.

use liventix_core::ids::{EventId, OrganiserId, TicketTypeId};

use super::types::{SalesSettings, TypeSale};
use crate::platform::coded::coded;
use crate::pricing::{Fee, PricingError, Terms, TicketPrice};

coded! {
    /// Whether tickets of a type can be bought.
    Availability {
        /// Yes.
        OnSale = "on_sale",
        /// Not yet.
        NotYet = "not_yet",
        /// Not any more.
        Ended = "ended",
        /// All are taken. Those that are held may come back.
        SoldOut = "sold_out",
        /// The organiser has closed the sale.
        Closed = "closed",
    }
}

/// A ticket type that is for sale.
#[derive(Debug, Clone)]
pub(crate) struct OfferType {
    pub(crate) ticket_type_id: TicketTypeId,
    pub(crate) name: String,
    pub(crate) sale: TypeSale,
    pub(crate) held: i64,
    pub(crate) sold: i64,
}

/// An event that sells, as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) organiser_id: OrganiserId,
    pub(crate) organiser_name: String,
    pub(crate) event_id: EventId,
    pub(crate) event_name: String,
    pub(crate) starts_at: i64,
    pub(crate) ends_at: i64,
    pub(crate) time_zone: String,
    pub(crate) settings: SalesSettings,
    pub(crate) fee: Fee,
    pub(crate) types: Vec<OfferType>,
}

impl Offer {
    pub(crate) const fn terms(&self) -> Terms {
        let SalesSettings { currency, fee_payer, tax_mode, .. } = self.settings;
        Terms { currency, fee: self.fee, fee_payer, tax_mode }
    }

    /// What one ticket of the type costs.
    pub(crate) fn each(&self, kind: &OfferType) -> Result<TicketPrice, PricingError> {
        self.terms().price(kind.sale.price, kind.sale.tax_rate_bp)
    }

    /// Whether tickets of the type can be bought at `now`.
    pub(crate) fn availability(&self, kind: &OfferType, now: i64) -> Availability {
        let sale = &kind.sale;
        if !self.settings.is_open || !sale.is_open || self.each(kind).is_err() {
            Availability::Closed
        } else if now >= sale.on_sale_until.unwrap_or(i64::MAX).min(self.ends_at) {
            Availability::Ended
        } else if sale.on_sale_from.is_some_and(|from| now < from) {
            Availability::NotYet
        } else if kind.left() == Some(0) {
            Availability::SoldOut
        } else {
            Availability::OnSale
        }
    }

    /// How many of the type one order may have at `now`, as far as is known before they are taken.
    pub(crate) fn most(&self, kind: &OfferType) -> u32 {
        let most = self.settings.max_per_order.min(kind.sale.max_per_order.unwrap_or(u32::MAX));
        kind.left().map_or(most, |left| most.min(u32::try_from(left).unwrap_or(u32::MAX)))
    }
}

impl OfferType {
    /// How many are left; none: any number.
    pub(crate) fn left(&self) -> Option<i64> {
        self.sale.capacity.map(|capacity| (i64::from(capacity) - self.held - self.sold).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Currency, FeePayer, TaxMode};

    fn offer() -> Offer {
        let settings = SalesSettings {
            currency: Currency::from_code("EUR").unwrap(),
            is_open: true,
            fee_payer: FeePayer::Buyer,
            tax_mode: TaxMode::Included,
            hold_minutes: 15,
            max_per_order: 10,
        };
        Offer {
            organiser_id: OrganiserId::from_bytes([1; 16]),
            organiser_name: "Harbour".into(),
            event_id: EventId::from_bytes([2; 16]),
            event_name: "Lights".into(),
            starts_at: 900,
            ends_at: 1_000,
            time_zone: "Europe/Paris".into(),
            settings,
            fee: Fee::default(),
            types: Vec::new(),
        }
    }

    fn kind(sale: TypeSale) -> OfferType {
        let ticket_type_id = TicketTypeId::from_bytes([3; 16]);
        OfferType { ticket_type_id, name: "Day".into(), sale, held: 2, sold: 3 }
    }

    fn sale() -> TypeSale {
        TypeSale {
            price: 100,
            tax_rate_bp: 0,
            is_open: true,
            on_sale_from: Some(10),
            on_sale_until: Some(20),
            max_per_order: Some(4),
            capacity: Some(7),
        }
    }

    #[test]
    fn tickets_are_sold_from_then_to_then_while_there_are_any() {
        let at = |sale: TypeSale, now| offer().availability(&kind(sale), now);
        assert_eq!(at(sale(), 9), Availability::NotYet);
        assert_eq!(at(sale(), 10), Availability::OnSale);
        assert_eq!(at(sale(), 20), Availability::Ended);
        let always = TypeSale { on_sale_from: None, on_sale_until: None, ..sale() };
        assert_eq!(at(always.clone(), 999), Availability::OnSale);
        assert_eq!(at(always, 1_000), Availability::Ended, "when the event is over, nobody buys");
        assert_eq!(at(TypeSale { capacity: Some(5), ..sale() }, 10), Availability::SoldOut);
        assert_eq!(at(TypeSale { is_open: false, ..sale() }, 10), Availability::Closed);
        let mut closed = offer();
        closed.settings.is_open = false;
        assert_eq!(closed.availability(&kind(sale()), 10), Availability::Closed);
    }

    #[test]
    fn an_order_has_no_more_than_there_are() {
        let most = |sale: TypeSale| offer().most(&kind(sale));
        assert_eq!(most(sale()), 2);
        assert_eq!(most(TypeSale { capacity: None, ..sale() }), 4);
        assert_eq!(most(TypeSale { capacity: None, max_per_order: None, ..sale() }), 10);
    }
}
