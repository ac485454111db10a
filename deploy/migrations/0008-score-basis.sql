-- What a score's forecast came from: forecast (topic or cache), ondemand (made by the scorer), none.  NULL: written before there was a choice.
ALTER TABLE forebay.scores ADD COLUMN basis text;
