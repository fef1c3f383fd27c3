-- Whose scores a list holds: of the model that scored it as it was loaded, or as the campaign's file said then. NULL for lists
-- from before this was kept, whose attempts go by the campaign's file, as it was at the dial.
ALTER TABLE list ADD COLUMN model_id TEXT;
ALTER TABLE list ADD COLUMN model_version TEXT;
