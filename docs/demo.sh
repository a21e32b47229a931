#!/bin/sh
# Shows the main job from start to end in the given folder: generates files, converts them twice, and queries the rows.
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
run wsparquet convert downloads --to lake

printf '\nBad input is kept, counted and reported (exit code 3):\n'
run wsparquet convert odd --to lake || test $? -eq 3

printf '\nThe Data Access API, emulated on this machine:\n\n$ wsparquet serve &\n'
wsparquet serve --hours 6 --size 200k --fault 503=0.1 --fault reset-mid-body=0.1 > server.txt &
server=$!
trap 'kill $server' EXIT
until [ -f server.txt ] && [ "$(wc -l < server.txt)" -ge 5 ]; do sleep 0.1; done
eval "$(tail -n +2 server.txt)"
run wsparquet sync --base-url "$(head -n 1 server.txt)" --account 75555851 --to lake --pause 0.1
run wsparquet status lake --account 75555851

printf '\nEvery file matches its commit record, and every value matches its source:\n'
run wsparquet verify lake --against downloads

printf '\n$ find lake -name "*.parquet"\n'
find lake -name '*.parquet' | sort | sed 's/^/  /'

query="SELECT country, count(*) AS visits FROM 'lake/record_type=geo/**/*.parquet' GROUP BY country ORDER BY visits DESC LIMIT 5"
printf '\n$ python -c "import duckdb, sys; print(duckdb.sql(sys.argv[1]))" "%s"\n' "$query"
python -c "import duckdb, sys; print(duckdb.sql(sys.argv[1]))" "$query"
