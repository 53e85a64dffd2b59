-- How many clean test images of each class a classifier gets right, after each epoch. Element i is the class with the label i. Classifiers of
-- older versions have no row.
CREATE TABLE "class_counts" (
    "chain_id" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "images" INTEGER[],
    "correct" INTEGER[],

    CONSTRAINT "class_counts_pkey" PRIMARY KEY ("chain_id", "epoch"),
    CONSTRAINT "class_counts_check" CHECK (cardinality("images") = cardinality("correct"))
);
ALTER TABLE "class_counts" ADD CONSTRAINT "class_counts_chain_id_fkey" FOREIGN KEY ("chain_id") REFERENCES "chains"("id") ON DELETE CASCADE ON UPDATE CASCADE;
