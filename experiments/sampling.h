#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/inspection.h"
#include "training/samplers/learning_coefficient.h"

namespace logodds {

/// Reads settings from a YAML file (none where `path` is empty) with overrides `key=value` on top.
/// Throws one Error that lists every problem.
void read_settings(const std::string& path, const std::vector<std::string>& overrides,
                   const std::function<void(Fields&)>& fields);
SamplingOptions read_sampling(const std::string& path, const std::vector<std::string>& overrides);

/// The same settings as YAML.
std::string settings_of(const std::function<void(Fields&)>& fields);

/// Chains around the trained weights of one run: the estimate of its learning coefficient.
class Sampling {
 public:
  Sampling(const Inspection& inspection, size_t run, const SamplingOptions& options);

  /// Samples and writes the figures of the README's table. Where `state` is not empty the chains continue from that
  /// file, if it exists, and are kept there. Null where `interrupted` ended it.
  Row coefficient(const std::filesystem::path& state, const std::function<bool()>& interrupted) const;

  /// A grid of ε, γ and nβ around the settings, all of it one pack of chains: a row per point (step_size, localisation,
  /// nbeta, llc/mean, llc/standard_error, r_hat, refused), and `suggestion`: the largest ε at the settings' own γ and
  /// nβ whose estimate agrees with that at the next smaller one; null where there is none. Null where interrupted.
  Row calibration(const std::function<bool()>& interrupted) const;

  const SampledRun& sampled() const { return sampled_; }
  /// What every result begins with: run, label, step, examples, parameters, nbeta, localisation, init_loss.
  Row heading() const;
  /// Differs for other weights and examples.
  std::string identity() const;

 private:
  const Inspection& inspection_;
  size_t run_;
  SamplingOptions options_;
  SampledRun sampled_;
};

/// Chains kept in a file, so that they can be continued: refuses those of other settings.
class ChainsFile {
 public:
  /// `settings`: what must not change; nothing is read or written where `path` is empty.
  ChainsFile(std::filesystem::path path, std::string settings);
  void load_into(Chains& chains) const;
  void save(const Chains& chains) const;

 private:
  std::filesystem::path path_;
  int64_t fingerprint_;
};

}  // namespace logodds
