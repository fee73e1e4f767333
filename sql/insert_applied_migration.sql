-- Record one applied migration.
insert into internal.migration values ($version, $name, $checksum, $program, now());
