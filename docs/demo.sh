#!/bin/sh
# The main job, start to end, in the folder given: generate files, convert them twice, look at what came of it.
set -eu
demo=$1
rm -rf "$demo"
mkdir -p "$demo"
cd "$demo"

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

run wsparquet generate downloads --files 4 --size 2M --seed 7
run wsparquet generate odd --defects --seed 8 --account 89995382
run wsparquet convert downloads --to lake

printf '\nA second run has nothing to do:\n'
run wsparquet convert downloads --to lake --quiet

printf '\nBad input is kept, counted and reported (exit code 3):\n'
run wsparquet convert odd --to lake --quiet || test $? -eq 3

printf '\n$ find lake -name "*.parquet"\n'
find lake -name '*.parquet' | sort | sed 's/^/  /'

query="SELECT country, count(*) AS visits FROM 'lake/record_type=geo/**/*.parquet' GROUP BY country ORDER BY visits DESC LIMIT 5"
printf '\n$ duckdb -c "%s"\n' "$query"
python -c 'import duckdb, sys; print(duckdb.sql(sys.argv[1]))' "$query"
