-- How the sound of an answered call was; all NULL where there was no media.
ALTER TABLE outcome ADD COLUMN media_codec TEXT;
-- Packets of the peer, without duplicates, and those that never came.
ALTER TABLE outcome ADD COLUMN media_received INTEGER;
ALTER TABLE outcome ADD COLUMN media_lost INTEGER;
ALTER TABLE outcome ADD COLUMN media_jitter_us INTEGER;
-- Packets of ours, and those of them that the peer reports as lost.
ALTER TABLE outcome ADD COLUMN media_sent INTEGER;
ALTER TABLE outcome ADD COLUMN media_lost_there INTEGER;
ALTER TABLE outcome ADD COLUMN media_round_trip_us INTEGER;
-- we_hear_nothing, they_hear_nothing
ALTER TABLE outcome ADD COLUMN one_way TEXT;
