"""The page on which an adjudicator settles what readers disagree on."""
