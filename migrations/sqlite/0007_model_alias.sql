-- Whose turn it was to score the list: champion, challenger, or plain_order where the model was broken and everybody has the same
-- score. NULL for lists from before this was kept: champion.
ALTER TABLE list ADD COLUMN model_alias TEXT;
