#!/usr/bin/env bash
# Runs a sweep on a real Slurm of one node, started in a directory of its own: one task is told that its time is nearly
# over, then the node fails under all of them, Slurm requeues them, and the table must be that of an undisturbed sweep.
# usage: slurm_test.sh LOGODDS; exit code 77 where it cannot run
set -euo pipefail
logodds=$(realpath "$1")

skip() { echo "skipped: $*"; exit 77; }
fail() {
  echo "failed: $*"
  cd "$folder"
  tail -n 20 munged.log slurmctld.log slurmd.log part/slurm/*.log 2>/dev/null || true
  exit 1
}
for program in munged slurmctld slurmd sbatch; do
  command -v "$program" >/dev/null || skip "$program is not there; ./dev cluster installs Slurm (slurm-wlm, munge)"
done
[ "$(id -u)" = 0 ] || skip "only root can start a Slurm of its own"

folder=$(mktemp -d)
chmod 755 "$folder"
export SLURM_CONF=$folder/slurm.conf OMP_WAIT_POLICY=passive

stop() {
  scancel --quiet --me 2>/dev/null || true
  local name
  for name in slurmd slurmctld munged; do
    [ ! -s "$folder/$name.pid" ] || kill "$(cat "$folder/$name.pid")" 2>/dev/null || true
  done
  for _ in $(seq 100); do  # each removes its file when it ends
    compgen -G "$folder/*.pid" >/dev/null || break
    sleep 0.2
  done
  cd /
  rm -rf "$folder"
}
trap stop EXIT

wait_for() {  # SECONDS WHAT COMMAND…
  local seconds=$1 what=$2
  shift 2
  for _ in $(seq $((seconds * 5))); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.2
  done
  fail "waited $seconds s in vain for: $what"
}

start() {
  local port=$((20000 + $$ % 10000 * 2)) node
  node=$(hostname -s)
  head -c 1024 /dev/urandom >"$folder/munge.key"
  chmod 400 "$folder/munge.key"
  munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" 2>/dev/null
  mkdir "$folder/state" "$folder/spool"
  cat >"$SLURM_CONF" <<TEXT
ClusterName=logodds
SlurmctldHost=$node(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MailProg=/bin/true
KillWait=5
ReturnToService=2
SchedulerParameters=bf_interval=1,sched_interval=1
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
TEXT
  slurmctld
  slurmd
  wait_for 30 "the node to be idle" sh -c "sinfo -h -o %t | grep -qx idle"
}

cat >"$folder/s.yaml" <<'TEXT'
task: {kind: modular_addition, p: 23, train_fraction: 0.5}
model: {kind: mlp, d_embed: 16, hidden: [32]}
optimizer: {learning_rate: 0.01}
training: {steps: 12000, evaluate_every_steps: 400, checkpoint_every_steps: 2000}
sweep: {optimizer.weight_decay: [0, 1], seed: {count: 2}}
TEXT

has_checkpoint() { compgen -G "$folder/part/*seed=$1/checkpoints/*/manifest.json"; }
is_over() { [ -z "$(squeue -h -u root)" ]; }
restarts() { scontrol show job "$1" | grep -o 'Restarts=[0-9]*' | cut -d= -f2; }
has_restarted() { [ "$(restarts "$1")" -ge "$2" ]; }
has_begun_again() { [ "$(grep -c "shard $1/2 of" "part/slurm/task-$1.log")" -ge 2 ]; }

start
cd "$folder"
"$logodds" sweep s.yaml --out whole >undisturbed.txt 2>&1 || fail "the undisturbed sweep: $(cat undisturbed.txt)"
"$logodds" sweep s.yaml --out part --slurm='--time=10' --tasks 2 >submitted.txt 2>&1 || fail "$(cat submitted.txt)"
job=$(grep -o 'job [0-9]*' submitted.txt | grep -o '[0-9]*')

# A node that fails: its tasks are killed, and Slurm itself puts them back into the queue.
wait_for 60 "a checkpoint" has_checkpoint 0
scontrol update nodename="$(hostname -s)" state=down reason=test
wait_for 30 "the requeue after the node failed" has_restarted "${job}_0" 1
scontrol update nodename="$(hostname -s)" state=resume 2>/dev/null || true  # or it came back by itself
wait_for 60 "the node to come back" sh -c "! sinfo -h -o %T | grep -q down"
"$logodds" sweep part --status

# A task that is told that its time is nearly over saves and requeues itself.
wait_for 120 "the second task to go on" has_begun_again 1
scancel --batch --signal=USR1 "${job}_1"
wait_for 60 "the requeue before the time limit" has_restarted "${job}_1" 2

wait_for 300 "the end of all jobs" is_over
cmp whole/table.csv part/table.csv || fail "the tables differ"
grep -q "weight_decay" part/slurm/collect.log || fail "the collecting job wrote no summary"
echo "the table of the disturbed sweep is that of the undisturbed one:"
cat part/slurm/collect.log
