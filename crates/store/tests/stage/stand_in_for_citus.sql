-- Tables and functions that are called as those of Citus, so that everything that depends on its catalogue can be tested without it. Rows stay where they
-- are: only who looks for what, and where, is as if they were distributed.

CREATE TABLE pg_dist_partition (
    logicalrelid  REGCLASS PRIMARY KEY,
    partmethod    "char" NOT NULL,
    partkey       TEXT,
    colocationid  INTEGER NOT NULL,
    repmodel      "char" NOT NULL
);

CREATE TABLE pg_dist_shard (
    logicalrelid  REGCLASS NOT NULL,
    shardid       BIGINT PRIMARY KEY,
    shardstorage  "char" NOT NULL,
    shardminvalue TEXT,
    shardmaxvalue TEXT
);

CREATE TABLE asked_of_citus (place INTEGER GENERATED ALWAYS AS IDENTITY, call TEXT NOT NULL);

CREATE FUNCTION create_distributed_table(
    table_name REGCLASS, distribution_column TEXT, distribution_type TEXT DEFAULT 'hash', colocate_with TEXT DEFAULT 'default', shard_count INTEGER DEFAULT NULL
) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    colocation INTEGER;
    width BIGINT;
BEGIN
    INSERT INTO asked_of_citus (call) VALUES (format('distribute %s by %s %s beside %s in %s', table_name, distribution_type, distribution_column, colocate_with, shard_count));
    IF colocate_with = 'none' THEN
        colocation := table_name::oid::int8 % 1000000;
        width := 4294967296 / shard_count;
        INSERT INTO pg_dist_shard SELECT table_name, table_name::oid::int8 * 1000 + n, 't', -2147483648 + n * width,
            CASE n WHEN shard_count - 1 THEN 2147483647 ELSE -2147483648 + (n + 1) * width - 1 END FROM generate_series(0, shard_count - 1) AS n;
    ELSE
        SELECT colocationid INTO STRICT colocation FROM pg_dist_partition WHERE logicalrelid = colocate_with::regclass;
        INSERT INTO pg_dist_shard SELECT table_name, table_name::oid::int8 * 1000 + shardid % 1000, 't', shardminvalue, shardmaxvalue
            FROM pg_dist_shard WHERE logicalrelid = colocate_with::regclass;
    END IF;
    INSERT INTO pg_dist_partition VALUES (table_name, 'h', distribution_column, colocation, 's');
END $$;

CREATE FUNCTION create_reference_table(table_name REGCLASS) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO asked_of_citus (call) VALUES (format('refer %s', table_name));
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL, 1, 't');
END $$;

CREATE FUNCTION truncate_local_data_after_distributing_table(table_name REGCLASS) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO asked_of_citus (call) VALUES (format('truncate %s', table_name));
END $$;

CREATE FUNCTION get_shard_id_for_distribution_column(table_name REGCLASS, distribution_value BIGINT) RETURNS BIGINT LANGUAGE sql STABLE AS $$
    SELECT shardid FROM pg_dist_shard WHERE logicalrelid = table_name
        AND hashint8(distribution_value) BETWEEN shardminvalue::int4 AND shardmaxvalue::int4
$$;
