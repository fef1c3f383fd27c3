# shellcheck shell=bash
# What gate and test share: where tools that are no Debian package live, and how a step is timed and reported.

tools="${XDG_CACHE_HOME:-$HOME/.cache}/goldenhour-tools"
export PATH="$tools/bin:$PATH"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

# 2: could not run. Never green by skipping.
give_up() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 2
}

# step NAME COMMAND..: runs it, says what it took, keeps its exit code.
step() {
    local name=$1 code=0
    shift
    printf '== %s: %s\n' "$name" "$*"
    local TIMEFORMAT="   %0R s, of CPU %0U s and %0S s in the system"
    time "$@" || code=$?
    printf '== %s: %s\n' "$name" "$([ "$code" = 0 ] && echo ok || echo "FAILED ($code)")"
    return "$code"
}

target_folder() {
    cargo metadata --locked --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
}

# The one build of the tests has every feature; the program that people build has none of them.
# shellcheck disable=SC2034 # gate and test use it
features="parquet,postgres"

# cargo-deny is built once per machine, beside the other checks: about two minutes of CPU time.
deny_build=
begin_cargo_deny() {
    command -v cargo-deny >/dev/null && return
    mkdir -p "$tools" || give_up "cannot write $tools"
    echo "cargo-deny is missing: building it beside the other checks"
    CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --version 0.20.2 --locked --debug --no-default-features --quiet \
        --root "$tools" >"$tools/cargo-deny.log" 2>&1 &
    deny_build=$!
    trap 'kill "$deny_build" 2>/dev/null' EXIT
}

await_cargo_deny() {
    [ -z "$deny_build" ] && return
    local code=0
    wait "$deny_build" || code=$?
    trap - EXIT
    [ "$code" = 0 ] || cat "$tools/cargo-deny.log" >&2
    return "$code"
}
