-- Offers and submits go in turn by event: how many of an event's requests have gone is counted at every release.
CREATE INDEX request_event_state ON request(event, state);
