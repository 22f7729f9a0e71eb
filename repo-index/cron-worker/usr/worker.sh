#!/bin/bash
# The worker: once per interval it writes a line to its log and runs the jobs that are due.
set -u

cart_dir=${OPENSHIFT_CRON_WORKER_DIR:?}
state_dir=${OPENSHIFT_DATA_DIR:?}/.cron_worker
repo_dir=${OPENSHIFT_REPO_DIR:?}
jobs_dir=${repo_dir%/}/.openshift/cron
pid_file=${cart_dir}run/worker.pid

# The value of a variable that has to be a number above 0, else the default.
number_of() {
    local value=${!1-}
    [[ $value =~ ^[1-9][0-9]{0,8}$ ]] || value=$2
    echo "$value"
}

interval=$(number_of OPENSHIFT_CRON_WORKER_INTERVAL 60)
job_limit=$(number_of OPENSHIFT_CRON_WORKER_JOB_LIMIT 300)

note() {
    TZ=UTC printf '%(%Y-%m-%dT%H:%M:%SZ)T %s\n' -1 "$*"
}

# The log goes through the platform's `logshifter`, which rolls it, where there is one.
open_log() {
    if command -v logshifter >/dev/null; then
        exec > >(exec logshifter -tag cron_worker) 2>&1
        log_pid=$!
    else
        exec >>"${OPENSHIFT_LOG_DIR:?}/cron_worker.log" 2>&1
    fi
}

# Prints the jobs of a period: executable files with plain names, in order, as run-parts does.
jobs_of() {
    local job
    for job in "$jobs_dir/$1"/*; do
        [[ ${job##*/} =~ ^[A-Za-z0-9_-]+$ && -f $job && -x $job ]] && echo "$job"
    done
}

run_jobs() {
    local period=$1 job code
    while IFS= read -r job; do
        code=0
        # `</dev/null`: a job that reads would otherwise swallow the list of jobs.
        (cd "$repo_dir" && exec timeout -k 5 "$job_limit" "$job" </dev/null 2>&1) |
            while IFS= read -r line || [[ -n $line ]]; do
                note "$period/${job##*/}: $line"
            done
        code=${PIPESTATUS[0]}
        case $code in
            0) ;;
            124 | 137) note "$period/${job##*/} was ended after $job_limit seconds" ;;
            *) note "$period/${job##*/} failed with status $code" ;;
        esac
    done < <(jobs_of "$period")
}

# Tells whether `seconds` have passed since the period was served.
is_due() {
    local stamp=$state_dir/$1 seconds=$2 now last=0
    printf -v now '%(%s)T' -1
    [[ -r $stamp ]] && read -r last <"$stamp"
    [[ $last =~ ^[0-9]+$ ]] || last=0
    # A clock that was set back must not silence a period for years.
    ((now - last >= seconds || now < last))
}

note_served() {
    local stamp=$state_dir/$1
    printf '%(%s)T\n' -1 >"$stamp.new" && mv -f "$stamp.new" "$stamp"
}

declare -A running=()

# Starts the jobs of a period beside the clock, unless the round before is still at it.
serve() {
    local period=$1
    is_due "$period" "$2" || return
    if [[ -n ${running[$period]-} ]] && kill -0 "${running[$period]}" 2>/dev/null; then
        note "$period: the jobs of the last round are still running"
        return
    fi
    note_served "$period" || return
    run_jobs "$period" &
    running[$period]=$!
}

# Ends the jobs: they are in the worker's session, though not in its process group (`timeout` makes
# one of its own). The log's process ends by itself when nobody writes to it any more.
end_jobs() {
    local line pid session
    for line in /proc/[0-9]*/stat; do
        pid=${line//[!0-9]/}
        [[ $pid == "$$" || $pid == "$log_pid" ]] && continue
        read -r line 2>/dev/null <"$line" || continue
        # The name, in parentheses, may hold anything; state, parent, group and session follow it.
        read -r _ _ _ session _ <<<"${line##*) }"
        [[ $session == "$$" ]] && kill -TERM "$pid" 2>/dev/null
    done
}

stop() {
    note "stopped after $ticks ticks"
    rm -f "$pid_file"
    end_jobs
    exit 0
}

ticks=0
log_pid=none
mkdir -p "$state_dir" || exit 1
open_log
trap stop TERM INT
echo "$$" >"$pid_file" || exit 1
note "ready: a tick every $interval seconds, jobs from $jobs_dir"

next=$SECONDS
while :; do
    ticks=$((ticks + 1))
    note "tick $ticks"
    serve minutely 0 # at every tick
    serve hourly 3600
    serve daily 86400
    next=$((next + interval))
    # In the background and waited for, so that a signal is served at once.
    ((next > SECONDS)) && { sleep "$((next - SECONDS))" & wait "$!"; }
done
