#include "experiments/slurm.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace logodds {
namespace {

TEST(Slurm, ReadsTheTimeLimitInEveryFormThatSlurmKnows) {
  const std::vector<std::pair<std::string, int64_t>> cases{{"--time=30", 1800},         {"-t 30", 1800},
                                                           {"-t30:15", 1815},           {"--time 2:00:05", 7205},
                                                           {"--time=1-12", 129600},     {"--time=1-12:30", 131400},
                                                           {"-t 1-00:00:09", 86409},    {"", 3600},
                                                           {"--partition=short", 3600}, {"--test=1 -t 1:00:00", 3600}};
  for (const auto& [text, seconds] : cases) EXPECT_EQ(read_slurm_options(text).limit_seconds, seconds) << text;
  EXPECT_EQ(read_slurm_options("").text, "--time=60");
  EXPECT_EQ(read_slurm_options("--mem=4G").text, "--mem=4G --time=60");
  EXPECT_EQ(read_slurm_options("-c 4").cpus_per_task, 4);
  EXPECT_EQ(read_slurm_options("--cpus-per-task=8").cpus_per_task, 8);
}

TEST(Slurm, RefusesWhatItCannotPlanWith) {
  for (const char* text : {"--time=soon", "--time=", "-t 1:2:3:4", "--time=0", "--time=1-", "--array=0-3",
                           "--signal=USR1", "--no-requeue", "-c none"}) {
    EXPECT_THROW(read_slurm_options(text), Error) << text;
  }
}

TEST(Slurm, TasksAreSizedToFourFifthsOfTheirTimeLimit) {
  EXPECT_EQ(array_tasks(50, 15, 3600, 1), 1u);     // 192 trainings fit into 2880 s
  EXPECT_EQ(array_tasks(50, 600, 3600, 1), 13u);   // four each
  EXPECT_EQ(array_tasks(50, 600, 3600, 4), 4u);    // sixteen each
  EXPECT_EQ(array_tasks(50, 9000, 3600, 1), 50u);  // longer than the limit: one each, which requeue themselves
  EXPECT_EQ(array_tasks(5000, 9000, 3600, 1), 1000u);
}

}  // namespace
}  // namespace logodds
