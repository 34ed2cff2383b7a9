-- The language that a contact chose, whatever they write in.
ALTER TABLE contacts ADD COLUMN chosen_lang TEXT;
