-- Advertising: an organiser's campaigns, what they show, what they cost, and what was told of them.

-- What brings people to an event.
CREATE TABLE ad_campaigns (
    ad_campaign_id BYTEA PRIMARY KEY,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    event_id BYTEA NOT NULL REFERENCES events,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX ad_campaigns_by_event ON ad_campaigns (event_id, ad_campaign_id);

-- One of the things that a campaign shows.
CREATE TABLE creatives (
    creative_id BYTEA PRIMARY KEY,
    ad_campaign_id BYTEA NOT NULL REFERENCES ad_campaigns,
    organiser_id BYTEA NOT NULL REFERENCES organisers,
    event_id BYTEA NOT NULL REFERENCES events,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX creatives_by_campaign ON creatives (ad_campaign_id, creative_id);
CREATE INDEX creatives_by_event ON creatives (event_id, creative_id);
CREATE INDEX creatives_by_organiser ON creatives (organiser_id, creative_id);

-- What a creative cost on a day.
CREATE TABLE ad_spend (
    creative_id BYTEA NOT NULL REFERENCES creatives,
    -- As people write it: 2026-08-01.
    day TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (creative_id, day, currency)
);

-- What was told already, so that it counts once.
CREATE TABLE ad_events_seen (
    organiser_id BYTEA NOT NULL,
    -- The id it was told by; or of who saw what in which minute.
    seen_id BYTEA NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (organiser_id, seen_id)
);
CREATE INDEX ad_events_seen_by_time ON ad_events_seen (seen_at);

-- What brought the buyer.
ALTER TABLE orders ADD COLUMN creative_id BYTEA;
