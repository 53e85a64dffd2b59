-- The name that an unfinished upload shall get, so that its client can see and remove it. Null: an older version has announced it.
ALTER TABLE "datasets" ADD COLUMN "name" TEXT COLLATE "C";
