#!/bin/sh
# The main job, shown: an estimate, its explanation, a comparison, uses from a file, a log.
# Needs KILOWHAT, the path of the command; `make demo` sets it.
set -eu
cd "$(dirname "$0")/.."
: "${KILOWHAT:?the path of the kilowhat command is needed}"

say() {
	if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
		printf '\n\033[1m%s\033[0m\n' "$1"
	else
		printf '\n%s\n' "$1"
	fi
}

show() {
	printf '$ kilowhat'
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n\n'
	"$KILOWHAT" "$@"
}

say '1. An estimate: 400 tokens from GPT-4o, on the grid of France.
   Each number has its interval (5 % – 95 %), its source, and the boundary of what it holds.'
show estimate gpt-4o --out 400 --zone FRA

say '2. The same in French, beside a smaller model and beside what others publish.'
show --lang fr estimate gpt-4o --out 400 --zone FRA --versus gpt-4o-mini --methods

say '3. Its explanation: every formula with its numbers, every factor with its source.'
show estimate gpt-4o --out 400 --zone FRA --explain

say '4. On your own machine: Llama 3.1 8B on a desktop graphics card, one call at a time.'
show estimate llama-3.1-8b --in 500 --out 400 --accelerator rtx-4090 --concurrency 1 --zone FRA

say '5. A comparison: what 2.9 Wh is like, and an hour of a microwave oven in LED hours.'
show compare '2.9 Wh'
echo
show compare '1 h microwave' --to led

say '6. Real usage records (token counts of recorded API responses), one JSON object a line;
   the results are one JSON object a line too. The first three, their energy in joules:'
printf '$ kilowhat estimate --from examples/usage.jsonl --zone USA --json > results.jsonl\n\n'
results=$(mktemp)
trap 'rm -f "$results"' EXIT
"$KILOWHAT" estimate --from examples/usage.jsonl --zone USA --json > "$results"
sed -n 's/^\({"id": "[^"]*", "model": "[^"]*"\).*"impacts": \({"energy": {[^}]*}\).*/\1, … \2, …/p' \
	"$results" | sed -n 1,3p
printf '%d lines in, %d results out.\n' "$(wc -l < examples/usage.jsonl)" "$(wc -l < "$results")"

say '7. A month of logs in five formats (made-up counts): the inventory by team and by model, with
   what our own names of models mean, and where the calls run.'
show account examples/logs --map examples/mapping.toml --zones examples/zones.toml \
	--by team --by model --top 6

say '8. The same calls on the grid of Sweden, in French, as one page with charts.'
mkdir -p demo
show --lang fr account examples/logs --map examples/mapping.toml --zones examples/zones.toml \
	--what-if zone=SWE --html demo/account.html > "$results"
sed -n '1,2p' "$results"
sed '1,2d' "$results" | sed -n '/zone=SWE/,/^$/p'
printf '%s: %d bytes; open it in a browser.\n' "$PWD/demo/account.html" \
	"$(wc -c < demo/account.html)"
