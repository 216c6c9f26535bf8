#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "experiments/sweep_directory.h"

namespace logodds {

/// What of sbatch's options matters for spreading a sweep over tasks; the others are passed on unread.
struct SlurmOptions {
  std::string text;           ///< as given, complemented by a time limit where there was none
  int64_t limit_seconds = 0;  ///< --time, -t
  int64_t cpus_per_task = 1;  ///< --cpus-per-task, -c
};

/// Reads "--time=2:00:00 -c 4 --partition=short". Throws Error for a time that Slurm would not read, and for options
/// that a sweep sets itself.
SlurmOptions read_slurm_options(const std::string& text);

/// Seconds that one training of a sweep takes here, measured on the first and the last of those that are left: the
/// longer of both. Each is trained for some seconds in a temporary directory. None where that did not work.
std::optional<double> measure_training(const Sweep& sweep, const SweepDirectory& directory);

/// How many tasks an array needs so that each ends within 80 % of its time limit; at least one training each.
size_t array_tasks(size_t trainings, double seconds, int64_t limit_seconds, size_t workers);

/// The script of the array: task i of `tasks` trains shard i, `workers` trainings
/// at a time. Before the time limit it saves and requeues itself.
std::string array_script(const Sweep& sweep, const SweepDirectory& directory, const SlurmOptions& options, size_t tasks,
                         size_t workers);

/// The script of the job that gathers the table.
std::string collect_script(const Sweep& sweep, const SweepDirectory& directory, const SlurmOptions& options);

/// Writes both scripts into DIRECTORY/slurm and submits them, the second to begin after the first has ended. Returns
/// the number of the array's job. Throws Error with what sbatch said.
std::string submit(const Sweep& sweep, const SweepDirectory& directory, const SlurmOptions& options, size_t tasks,
                   size_t workers);

}  // namespace logodds
