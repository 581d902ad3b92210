-- Which galaxies a field holds (targets of kind field: pointings of a camera), as the ranking of that generation packed them.
CREATE TABLE field_galaxy (
  field INTEGER NOT NULL REFERENCES target(id),
  galaxy INTEGER NOT NULL REFERENCES target(id),
  generation INTEGER NOT NULL,
  PRIMARY KEY (field, galaxy)
) STRICT;
CREATE INDEX field_galaxy_of ON field_galaxy(galaxy);
